"""Queries on embeddings of images, and on the similarity of captured images to training images."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from scones_core.db.likeness_schema import embeddings, model_references, similarities
from scones_core.db.schema import dataset_images, inferences

CHUNK = 500  # well under SQLite's limit of bound parameters
UNREADABLE = ""  # segment of images that cannot be decoded


def places(connection: sa.Connection, extractor: str, images: Sequence[str]) -> dict[str, dict[int, str]]:
    """Segment → row → SHA-256, of those of the images that have an embedding."""
    table, found = embeddings.c, defaultdict[str, dict[int, str]](dict)
    for start in range(0, len(images), CHUNK):
        query = sa.select(table.segment, table.row, table.image_sha256)
        query = query.where(table.extractor == extractor, table.image_sha256.in_(images[start : start + CHUNK]))
        for segment, row, image in connection.execute(query.where(table.segment != UNREADABLE)):
            found[segment][row] = image
    return dict(found)


def known(connection: sa.Connection, extractor: str, images: Sequence[str]) -> set[str]:
    """Those of the images that need no embedding: they have one, or cannot be decoded."""
    table, found = embeddings.c, set[str]()
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        query = sa.select(table.image_sha256).where(table.extractor == extractor, table.image_sha256.in_(part))
        found |= set(connection.scalars(query))
    return found


def place(connection: sa.Connection, extractor: str, segment: str, images: Iterable[str]) -> None:
    """Record where the embeddings of images lie, in the order of the segment's rows; replaces earlier places."""
    rows = [
        {"extractor": extractor, "image_sha256": image, "segment": segment, "row": row}
        for row, image in enumerate(images)
    ]
    if rows:
        table = embeddings.c
        same = sa.and_(table.extractor == extractor, table.image_sha256 == sa.bindparam("image"))
        connection.execute(sa.delete(embeddings).where(same), [{"image": row["image_sha256"]} for row in rows])
        connection.execute(sa.insert(embeddings), rows)


def segments(connection: sa.Connection, extractor: str) -> dict[str, int]:
    """Segment → number of embeddings in it that are in use."""
    table = embeddings.c
    query = sa.select(table.segment, sa.func.count()).where(table.extractor == extractor, table.segment != UNREADABLE)
    return dict(connection.execute(query.group_by(table.segment)).all())


def forget(connection: sa.Connection, extractor: str, segment: str) -> None:
    """Forget the embeddings of a segment that is lost or damaged."""
    table = embeddings.c
    connection.execute(sa.delete(embeddings).where(table.extractor == extractor, table.segment == segment))


def _without(extractor: str, image: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    table = embeddings.c
    return ~sa.exists().where(table.extractor == extractor, table.image_sha256 == image)


def dataset_without(connection: sa.Connection, extractor: str, dataset: str, limit: int) -> list[tuple[str, str]]:
    """(SHA-256, key) of images of a dataset version that have no embedding yet."""
    table = dataset_images.c
    query = sa.select(table.sha256, sa.func.min(table.key)).where(table.dataset == dataset)
    query = query.where(_without(extractor, table.sha256)).group_by(table.sha256).order_by(table.sha256)
    return [(image, key) for image, key in connection.execute(query.limit(limit))]


def captured_without(connection: sa.Connection, extractor: str, limit: int) -> list[dict[str, Any]]:
    """An inference per captured image that has no embedding yet, the newest first: its ids and place of capture."""
    table = inferences.c
    columns = "event_id image_sha256 capture_key capture_line capture_start capture_end"
    query = sa.select(*(table[name] for name in columns.split())).where(_without(extractor, table.image_sha256))
    found: dict[str, dict[str, Any]] = {}
    for row in connection.execute(query.order_by(table.time.desc()).limit(2 * limit)).mappings():
        found.setdefault(row["image_sha256"], dict(row))
    return list(found.values())[:limit]


def reference(connection: sa.Connection, model: int) -> dict[str, Any] | None:
    """extractor, images, level of a model's reference; None if there is none yet."""
    query = sa.select(model_references).where(model_references.c.model == model)
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def set_reference(connection: sa.Connection, model: int, extractor: str, images: int, level: float) -> None:
    """Replace a model's reference; similarities to an earlier one are forgotten."""
    connection.execute(sa.delete(similarities).where(similarities.c.model == model))
    connection.execute(sa.delete(model_references).where(model_references.c.model == model))
    row = {"model": model, "extractor": extractor, "images": images, "level": level}
    connection.execute(sa.insert(model_references), row)


def not_compared(connection: sa.Connection, extractor: str, limit: int) -> dict[int, list[str]]:
    """Model → SHA-256 of images it made inferences of that have an embedding but no similarity yet, newest first."""
    table, found = inferences.c, defaultdict[int, list[str]](list)
    compared = sa.exists().where(similarities.c.model == table.model, similarities.c.image_sha256 == table.image_sha256)
    query = sa.select(table.model, table.image_sha256).where(table.model.is_not(None), ~compared)
    query = query.where(~_without(extractor, table.image_sha256))
    for model, image in connection.execute(query.order_by(table.time.desc()).limit(limit)):
        found[model].append(image)
    return {model: list(dict.fromkeys(images)) for model, images in found.items()}


def add_similarities(connection: sa.Connection, model: int, found: Mapping[str, float | None]) -> None:
    """image SHA-256 → similarity; None if the image cannot be decoded. Those known are replaced."""
    if found:
        same = sa.and_(similarities.c.model == model, similarities.c.image_sha256 == sa.bindparam("image"))
        connection.execute(sa.delete(similarities).where(same), [{"image": image} for image in found])
        rows = [{"model": model, "image_sha256": image, "similarity": value} for image, value in found.items()]
        connection.execute(sa.insert(similarities), rows)


def compared(connection: sa.Connection, model: int) -> tuple[int, int]:
    """Images compared with a model's training images, and those of them that are unlike these."""
    table, reference = similarities.c, model_references.c
    below = sa.func.sum(sa.case((table.similarity < reference.level, 1), else_=0))
    query = sa.select(sa.func.count(), sa.func.coalesce(below, 0)).select_from(
        similarities.join(model_references, reference.model == table.model)
    )
    count, unlike = connection.execute(query.where(table.model == model, table.similarity.is_not(None))).one()
    return int(count), int(unlike)


def least_similar(connection: sa.Connection, model: int, limit: int) -> list[sa.Row[Any]]:
    """An inference per image unlike the model's training images, the least similar first: event_id, image_sha256,
    class_list, prediction, confidence, similarity.
    """
    table, similarity, level = inferences.c, similarities.c.similarity, model_references.c.level
    low = sa.select(similarities.c.image_sha256, similarity).select_from(
        similarities.join(model_references, model_references.c.model == similarities.c.model)
    )
    low = low.where(similarities.c.model == model, similarity < level).order_by(similarity).limit(limit)
    images = dict(connection.execute(low).all())
    columns = "event_id image_sha256 class_list prediction confidence"
    query = sa.select(*(table[name] for name in columns.split()), similarity.label("similarity"))
    query = query.join(similarities, similarities.c.image_sha256 == table.image_sha256)
    query = query.where(table.model == model, similarities.c.model == model, table.image_sha256.in_(list(images)))
    found: dict[str, Any] = {}
    for row in connection.execute(query.order_by(similarity, table.time)):
        found.setdefault(row.image_sha256, row)
    return list(found.values())


def unlike_keys(connection: sa.Connection, keys: Sequence[str]) -> set[str]:
    """Those of the object keys with an inference whose image is unlike the training images of its model."""
    table, found = inferences.c, set[str]()
    same = sa.and_(similarities.c.model == table.model, similarities.c.image_sha256 == table.image_sha256)
    joined = inferences.join(similarities, same).join(model_references, model_references.c.model == table.model)
    below = similarities.c.similarity < model_references.c.level
    for start in range(0, len(keys), CHUNK):
        part = table.image_key.in_(keys[start : start + CHUNK])
        found |= set(connection.scalars(sa.select(table.image_key).select_from(joined).where(part, below)))
    return found


def similarities_of(
    connection: sa.Connection, events: Sequence[str]
) -> list[tuple[str, float | None, float | None, int | None]]:
    """(event id, similarity, level, reference images) of captured inferences; None where there is none yet."""
    table, found = inferences.c, list[tuple[str, float | None, float | None, int | None]]()
    same = sa.and_(similarities.c.model == table.model, similarities.c.image_sha256 == table.image_sha256)
    joined = inferences.outerjoin(similarities, same)
    joined = joined.outerjoin(model_references, model_references.c.model == table.model)
    columns = table.event_id, similarities.c.similarity, model_references.c.level, model_references.c.images
    for start in range(0, len(events), CHUNK):
        query = sa.select(*columns).select_from(joined).where(table.event_id.in_(events[start : start + CHUNK]))
        found += [tuple(row) for row in connection.execute(query)]
    return found
