"""Inferences know their model and its class names; three splits; decisions say why an image was shown; jobs say what
became of them."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _inferences()
    _datasets()
    _jobs()
    op.add_column("deployments", sa.Column("ended", sa.BigInteger()))
    op.execute("UPDATE deployments SET ended = time WHERE done")
    for table in ("decisions", "leases"):
        op.add_column(table, sa.Column("strategy", sa.String(32)))
        op.add_column(table, sa.Column("probability", sa.Float()))
    op.add_column("reviewed_images", sa.Column("copy_of", sa.Text()))
    op.add_column("decisions", sa.Column("model", sa.Integer()))
    op.add_column("decisions", sa.Column("classes", sa.JSON()))
    for table in ("decisions", "reviewed_images"):  # an answer that is no class is none in the data either
        op.execute(f"UPDATE {table} SET label = '/other' WHERE label = 'other'")
    op.add_column("decisions", sa.Column("stored_key", sa.Text()))


def _inferences() -> None:
    op.create_table(
        "class_lists",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("names", sa.Text(), nullable=False, unique=True),
    )
    op.add_column("inferences", sa.Column("model", sa.Integer()))
    op.add_column("inferences", sa.Column("class_list", sa.Integer()))
    op.add_column("inferences", sa.Column("attribution", sa.String(16)))
    # Null is: not attributed yet. services/attribution does so when the home is opened, for it knows the backend.
    op.execute(
        "INSERT INTO app_settings (name, value, time, actor) SELECT 'attribute_inferences', 'true', 0, '' "
        "WHERE EXISTS (SELECT 1 FROM inferences)"
    )


def _datasets() -> None:
    op.add_column("dataset_versions", sa.Column("pool", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("dataset_versions", sa.Column("test_set", sa.String(64), nullable=False, server_default=""))
    op.add_column("dataset_versions", sa.Column("corrections", sa.JSON(), nullable=False, server_default="[]"))
    connection = op.get_bind()
    rows = "SELECT sha256, class_index FROM dataset_images WHERE dataset = :id AND split = 'test'"
    for id in connection.scalars(sa.text("SELECT id FROM dataset_versions")).all():
        found = sorted(connection.execute(sa.text(rows), {"id": id}))
        text = "\n".join(f"{sha256}\t{index}" for sha256, index in found)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        update = sa.text("UPDATE dataset_versions SET test_set = :digest WHERE id = :id")
        connection.execute(update, {"digest": digest, "id": id})


def _jobs() -> None:
    op.add_column("training_jobs", sa.Column("state", sa.String(16), nullable=False, server_default="open"))
    op.add_column("training_jobs", sa.Column("failure", sa.Text()))
    op.add_column("training_jobs", sa.Column("claimed_by", sa.String(64)))
    op.add_column("training_jobs", sa.Column("claimed_until", sa.BigInteger()))
    registered = "EXISTS (SELECT 1 FROM model_versions WHERE training_job = training_jobs.name)"
    op.execute(
        f"UPDATE training_jobs SET state = CASE WHEN {registered} THEN 'registered' ELSE 'ended' END WHERE settled"
    )
    op.drop_column("training_jobs", "settled")
