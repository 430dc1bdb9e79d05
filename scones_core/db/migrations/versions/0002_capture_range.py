"""Where in its capture file an inference lies, so that its image can be read without the rest of the file."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("inferences", sa.Column("capture_start", sa.BigInteger()))
    op.add_column("inferences", sa.Column("capture_end", sa.BigInteger()))
