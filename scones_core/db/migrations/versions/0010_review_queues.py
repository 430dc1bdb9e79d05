"""Review queues, the queue in which a decision was made, classes that reviewers propose, gold images."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "review_queues",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("strategy", sa.String(32), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("reviewers", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("again", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "review_queue_items",
        sa.Column("queue", sa.Integer(), sa.ForeignKey("review_queues.id"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("event_id", sa.String(64), sa.ForeignKey("inferences.event_id"), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("probability", sa.Float()),
    )
    op.create_index("review_queue_items_event", "review_queue_items", ["event_id"])
    for table in ("decisions", "leases"):
        op.add_column(table, sa.Column("queue", sa.Integer()))
    op.create_index("decisions_queue", "decisions", ["queue"])
    op.create_index("inferences_model", "inferences", ["model", "confidence"])
    op.create_table(
        "class_proposals",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("decision", sa.Integer(), sa.ForeignKey("decisions.id"), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("settled_by", sa.Text()),
        sa.Column("settled", sa.BigInteger()),
    )
    op.create_table(
        "gold_images",
        sa.Column("image_sha256", sa.String(64), primary_key=True),
        sa.Column("event_id", sa.String(64), sa.ForeignKey("inferences.event_id"), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
    )
