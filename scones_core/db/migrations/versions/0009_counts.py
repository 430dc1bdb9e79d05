"""Counts of inferences per period, maker, class and confidence bin."""

import sqlalchemy as sa
from alembic import op

from scones_core.db import counts

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "inference_groups",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("endpoint", sa.String(63), nullable=False),
        sa.Column("variant", sa.String(63), nullable=False),
        sa.Column("model", sa.Integer()),
        sa.Column("attribution", sa.String(16)),
        sa.Column("class_list", sa.Integer()),
    )
    op.create_table(
        "inference_counts",
        sa.Column("width", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("start", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("group", sa.Integer(), sa.ForeignKey("inference_groups.id"), primary_key=True, autoincrement=False),
        sa.Column("inferences", sa.Integer(), nullable=False),
        sa.Column("cells", sa.LargeBinary(), nullable=False),
    )
    counts.recount(op.get_bind())
