"""Tables of embeddings, and of the similarity of captured images to training images."""

import sqlalchemy as sa

from scones_core.db.schema import metadata

embeddings = sa.Table(  # where the embedding of an image lies
    "embeddings",
    metadata,
    sa.Column("extractor", sa.String(16), primary_key=True),  # the first digits of its digest
    sa.Column("image_sha256", sa.String(64), primary_key=True),
    sa.Column("segment", sa.Text, nullable=False),  # key of the object; empty if the image cannot be decoded
    sa.Column("row", sa.Integer, nullable=False),
)
sa.Index("embeddings_segment", embeddings.c.segment)

model_references = sa.Table(  # the training images that captured images are compared with
    "model_references",
    metadata,
    sa.Column("model", sa.Integer, sa.ForeignKey("model_versions.number"), primary_key=True),
    sa.Column("extractor", sa.String(16), nullable=False),
    sa.Column("images", sa.Integer, nullable=False),
    sa.Column("level", sa.Float, nullable=False),  # images less similar are unlike the training images
)

similarities = sa.Table(
    "similarities",
    metadata,
    sa.Column("model", sa.Integer, sa.ForeignKey("model_versions.number"), primary_key=True),
    sa.Column("image_sha256", sa.String(64), primary_key=True),
    sa.Column("similarity", sa.Float),  # null if the image cannot be decoded
)
