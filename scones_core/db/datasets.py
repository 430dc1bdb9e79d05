"""Queries on dataset versions."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from scones_core.db.schema import dataset_images, dataset_versions
from scones_core.domain.datasets import DatasetVersion, LabelledImage

_LISTS = ("classes", "skipped", "corrections")


def add(connection: sa.Connection, version: DatasetVersion, images: Iterable[LabelledImage]) -> None:
    """Record a version, unless one with these contents exists."""
    table = dataset_versions
    if connection.scalar(sa.select(table.c.id).where(table.c.id == version.id)):
        return
    listed = {name: list(getattr(version, name)) for name in _LISTS}
    values = {**vars(version), **listed}
    connection.execute(sa.insert(table), values)
    rows = [{"dataset": version.id, **vars(image)} for image in images]
    connection.execute(sa.insert(dataset_images), rows)


def versions(connection: sa.Connection) -> list[DatasetVersion]:
    """All versions, newest first."""
    rows = connection.execute(sa.select(dataset_versions).order_by(dataset_versions.c.created.desc())).mappings()
    return [_version(row) for row in rows]


def version(connection: sa.Connection, id: str | None) -> DatasetVersion | None:
    row = connection.execute(sa.select(dataset_versions).where(dataset_versions.c.id == id)).mappings().first()
    return _version(row) if row else None


def _version(row: sa.RowMapping) -> DatasetVersion:
    values: dict[str, Any] = dict(row)
    return DatasetVersion(**{**values, **{name: tuple(values[name]) for name in _LISTS}})


def images(connection: sa.Connection, dataset: str, split: str | None = None) -> list[LabelledImage]:
    table = dataset_images.c
    query = sa.select(table.split, table.key, table.class_index, table.sha256).where(table.dataset == dataset)
    if split:
        query = query.where(table.split == split)
    return [LabelledImage(*row) for row in connection.execute(query.order_by(table.key))]


def known_labels(connection: sa.Connection, dataset: str, sha256s: Sequence[str]) -> dict[str, int]:
    """SHA-256 → class index, for the given images in the dataset version."""
    table = dataset_images.c
    query = sa.select(table.sha256, table.class_index).where(table.dataset == dataset, table.sha256.in_(sha256s))
    return dict(connection.execute(query).all())


def held(connection: sa.Connection, keys: Sequence[str]) -> set[str]:
    """Those of the keys used by an image of any dataset version."""
    table, found = dataset_images.c, set[str]()
    for start in range(0, len(keys), 500):
        query = sa.select(table.key).where(table.key.in_(keys[start : start + 500]))
        found |= set(connection.scalars(query))
    return found


def key_of(connection: sa.Connection, sha256: str) -> str | None:
    """Key of an image in any dataset version; None if there is none."""
    table = dataset_images.c
    found: str | None = connection.scalar(sa.select(table.key).where(table.sha256 == sha256).limit(1))
    return found
