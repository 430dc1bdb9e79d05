"""Why a model was put into service, and who rejected one and why."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("deployments", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.add_column("model_versions", sa.Column("rejected_by", sa.Text()))
    op.add_column("model_versions", sa.Column("rejection", sa.Text()))
