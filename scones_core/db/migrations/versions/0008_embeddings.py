"""Where the embedding of each image lies, and how similar captured images are to what a model was trained on."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "embeddings",
        sa.Column("extractor", sa.String(16), primary_key=True),
        sa.Column("image_sha256", sa.String(64), primary_key=True),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
    )
    op.create_index("embeddings_segment", "embeddings", ["segment"])
    op.create_table(
        "model_references",
        sa.Column("model", sa.Integer(), sa.ForeignKey("model_versions.number"), primary_key=True),
        sa.Column("extractor", sa.String(16), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
    )
    op.create_table(
        "similarities",
        sa.Column("model", sa.Integer(), sa.ForeignKey("model_versions.number"), primary_key=True),
        sa.Column("image_sha256", sa.String(64), primary_key=True),
        sa.Column("similarity", sa.Float()),
    )
