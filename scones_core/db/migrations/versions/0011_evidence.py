"""Drift watches with the image statistics they saw, and audits."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "drift_watches",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("endpoint", sa.String(63), nullable=False),
        sa.Column("model", sa.Integer(), sa.ForeignKey("model_versions.number"), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=False),
        sa.Column("observed", sa.Integer(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("alarm", sa.JSON()),
        sa.Column("alarm_time", sa.BigInteger()),
        sa.Column("acknowledged", sa.BigInteger()),
        sa.Column("acknowledged_by", sa.Text()),
    )
    op.create_index("drift_watches_model", "drift_watches", ["endpoint", "model"])
    op.create_table(
        "image_statistics",
        sa.Column("watch", sa.Integer(), sa.ForeignKey("drift_watches.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("model", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(64), sa.ForeignKey("inferences.event_id"), nullable=False),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("brightness", "contrast", "edges", "colour")),
    )
    op.create_index("image_statistics_image", "image_statistics", ["model", "image_sha256"])
    op.create_index("image_statistics_time", "image_statistics", ["model", "time"])
    op.create_table(
        "audits",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("model", sa.Integer(), sa.ForeignKey("model_versions.number"), nullable=False),
        sa.Column("queue", sa.Integer(), sa.ForeignKey("review_queues.id"), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger()),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.Float(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("inferences", sa.Integer(), nullable=False),
        sa.Column("population", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "audit_items",
        sa.Column("audit", sa.Integer(), sa.ForeignKey("audits.id"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("event_id", sa.String(64), sa.ForeignKey("inferences.event_id"), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
    )
