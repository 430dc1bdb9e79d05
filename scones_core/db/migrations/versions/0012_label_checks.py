"""Label checks, on which decisions are made and which queues contain, as they do inferences."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_TABLES = ("decisions", "review_queue_items")


def upgrade() -> None:
    op.create_table(
        "label_checks",
        sa.Column("event_id", sa.String(64), primary_key=True),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("endpoint", sa.String(63), nullable=False),
        sa.Column("variant", sa.String(63), nullable=False),
        sa.Column("inference_id", sa.Text()),
        sa.Column("image_key", sa.Text()),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        sa.Column("prediction", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("confidence", "margin", "entropy")),
        sa.Column("capture_key", sa.Text(), nullable=False),
        sa.Column("capture_line", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger()) for name in ("capture_start", "capture_end")),
        *(sa.Column(name, sa.Integer()) for name in ("model", "class_list")),
        sa.Column("attribution", sa.String(16)),
    )
    op.create_index("label_checks_image", "label_checks", ["image_sha256"])
    _drop_references(op.get_bind())


def _drop_references(connection: sa.Connection) -> None:
    """Let `event_id` name label checks, too.

    SQLite takes a constraint away only in the text of its schema.
    Source: sqlite.org, ALTER TABLE, "Making other kinds of table schema changes".
    """
    if connection.dialect.name != "sqlite":
        for table in _TABLES:
            keys = sa.inspect(connection).get_foreign_keys(table)
            [name] = [key["name"] for key in keys if key["constrained_columns"] == ["event_id"]]
            op.drop_constraint(str(name), table, type_="foreignkey")
        return
    version = connection.scalar(sa.text("PRAGMA schema_version"))
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    change = "UPDATE sqlite_master SET sql = replace(sql, ?, '') WHERE type = 'table' AND name = ?"
    for table in _TABLES:
        reference = ", \n\tFOREIGN KEY(event_id) REFERENCES inferences (event_id)"
        connection.exec_driver_sql(change, (reference, table))
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=OFF")
