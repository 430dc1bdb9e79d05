"""One index of confidences with their models in place of two: each index costs every ingest."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.drop_index("inferences_model", "inferences")
    op.drop_index("inferences_confidence", "inferences")
    op.create_index("inferences_confidence", "inferences", ["confidence", "model"])
