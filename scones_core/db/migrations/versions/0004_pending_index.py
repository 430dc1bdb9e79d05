"""The images that wait for review are counted along one index, without a look at the table."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index("inferences_image", "inferences")
    op.create_index("inferences_image", "inferences", ["image_sha256", "confidence"])
