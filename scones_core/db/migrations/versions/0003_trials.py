"""The share of the traffic that a trial gets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("deployments", sa.Column("share", sa.Float(), nullable=True))
