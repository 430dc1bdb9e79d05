"""Queries on dataset versions."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from scones_core.db.schema import dataset_images, dataset_versions
from scones_core.domain.datasets import DatasetVersion, LabelledImage


def add(connection: sa.Connection, version: DatasetVersion, images: Iterable[LabelledImage]) -> None:
    """Record a version, unless one with these contents exists."""
    table = dataset_versions
    if connection.scalar(sa.select(table.c.id).where(table.c.id == version.id)):
        return
    values = {**vars(version), "classes": list(version.classes), "skipped": list(version.skipped)}
    connection.execute(sa.insert(table), values)
    rows = [{"dataset": version.id, **vars(image)} for image in images]
    connection.execute(sa.insert(dataset_images), rows)


def versions(connection: sa.Connection) -> list[DatasetVersion]:
    rows = connection.execute(sa.select(dataset_versions).order_by(dataset_versions.c.created.desc())).mappings()
    return [
        DatasetVersion(**{**row, "classes": tuple(row["classes"]), "skipped": tuple(row["skipped"])}) for row in rows
    ]


def images(connection: sa.Connection, dataset: str, split: str | None = None) -> list[LabelledImage]:
    table = dataset_images.c
    query = sa.select(table.split, table.key, table.class_index, table.sha256).where(table.dataset == dataset)
    if split:
        query = query.where(table.split == split)
    return [LabelledImage(*row) for row in connection.execute(query.order_by(table.key))]


def known_labels(connection: sa.Connection, dataset: str, sha256s: Sequence[str]) -> dict[str, int]:
    """SHA-256 → class index, for those images that the dataset version holds."""
    table = dataset_images.c
    query = sa.select(table.sha256, table.class_index).where(table.dataset == dataset, table.sha256.in_(sha256s))
    return dict(connection.execute(query).all())
