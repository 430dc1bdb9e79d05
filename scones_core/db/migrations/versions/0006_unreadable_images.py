"""Captured images that cannot be decoded, which review leaves out."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "unreadable_images",
        sa.Column("image_sha256", sa.String(64), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
    )
