"""Extract, transform, load: from a source of images to an immutable dataset version."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from scones_core import logs
from scones_core.bounded_map import bounded_map
from scones_core.db import datasets as table
from scones_core.db import settings
from scones_core.domain.datasets import (
    POOL,
    SPLITS,
    TEST,
    TRAIN,
    DatasetVersion,
    LabelledImage,
    class_balance,
    lst_text,
    test_set_id,
    version_id,
)
from scones_core.errors import BadInput, NotFound
from scones_core.ports import ObjectStore
from scones_core.services.app import App, Progress, silent
from scones_core.sources import Bucket, Skipped, Source, SourceImage, open_source
from scones_core.sources.cifar100_classes import CLASSES


@dataclass
class _Loaded:
    images: list[LabelledImage]
    skipped: list[Skipped]
    added: list[str]  # keys that nothing lay under before


@dataclass(frozen=True)
class _Placed:
    """new: whether nothing lies under its key."""

    image: LabelledImage
    data: bytes
    new: bool


@logs.use_case
def load(
    app: App,
    spec: str,
    *,
    classes: Sequence[str] | None = None,
    pool_share: float | None = None,
    base: int | None = None,
    progress: Progress = silent,
) -> DatasetVersion:
    """Bring a source's images into the object store and record the dataset version.

    spec : "cifar100", "sample", the path of an archive, folder, zip or label file, or `s3://…` of a label file.
    pool_share : of each class's training images that are set aside as the pool, 0 to 0.9; without it 0.2 for CIFAR-100
    and the sample, which stand in for a stream.
    base : instead, the number of training images of each class that are not set aside.
    The same images and labels give the same version again. Raises BadInput, Unavailable.
    """
    source = open_source(
        spec,
        classes=classes,
        cache=app.settings.home / "downloads",
        on_progress=progress,
        pool_share=pool_share,
        base=base,
        bucket=Bucket(app.backend.objects.bucket, app.backend.objects.get),
    )
    loaded = _Loaded([], [], [])
    try:
        app.backend.objects.put_many(_objects(app.backend.objects, source, loaded, progress))
        _check(loaded, source)
        return record(
            app,
            source.classes,
            loaded.images,
            source=source.description,
            generated=source.generated,
            skipped=[asdict(skip) for skip in loaded.skipped],
        )
    except BaseException:
        _take_back(app, loaded.added)
        raise


def _objects(objects: ObjectStore, source: Source, loaded: _Loaded, progress: Progress) -> Iterator[tuple[str, bytes]]:
    """What is to be stored, noting each image as it passes."""
    found = bounded_map(lambda item: _placed(objects, item, source.classes), source.items, objects.at_once)
    for done, item in enumerate(found, start=1):
        if isinstance(item, Skipped):
            loaded.skipped.append(item)
            continue
        loaded.images.append(item.image)
        if item.new:
            loaded.added.append(item.image.key)
        if done % 50 == 0:
            progress(done, source.total, "images loaded")
        yield item.image.key, item.data


def _placed(objects: ObjectStore, item: SourceImage | Skipped, classes: Sequence[str]) -> _Placed | Skipped:
    """Where an image goes. Looks for what lies there as late as possible: another process may load, too."""
    if isinstance(item, Skipped):
        return item
    digest = hashlib.sha256(item.data).hexdigest()
    key = f"{item.split}/{item.name}"
    there = objects.exists(key)
    if there and hashlib.sha256(objects.get(key)).hexdigest() != digest:
        stem, _, suffix = key.rpartition(".")
        key = f"{stem}-{digest[:8]}.{suffix}"  # another dataset version has this name: both must stay what they are
        there = objects.exists(key)
    return _Placed(LabelledImage(item.split, key, classes.index(item.label), digest), item.data, new=not there)


def _take_back(app: App, added: Sequence[str]) -> None:
    """Remove the images of a load that failed, but for those that a load of another process has recorded meanwhile."""
    with app.db.read() as connection:
        held = table.held(connection, added)
    objects = app.backend.objects
    for _ in bounded_map(objects.delete, sorted(set(added) - held), objects.at_once):
        pass


def _check(loaded: _Loaded, source: Source) -> None:
    for split in (TRAIN, TEST):
        for index, name in enumerate(source.classes):
            if not any(image.split == split and image.class_index == index for image in loaded.images):
                raise BadInput(f"There is no {split} image of the class “{name}” in {source.description}: add some.")


def record(
    app: App,
    classes: Sequence[str],
    images: Sequence[LabelledImage],
    *,
    source: str,
    generated: bool = False,
    skipped: Sequence[dict[str, str]] = (),
    parent: str | None = None,
    new_labels: int = 0,
    corrections: Sequence[Mapping[str, str]] = (),
) -> DatasetVersion:
    """Write the `.lst` files and the dataset version; all is durable when it returns."""
    images = sorted(images)
    counts = Counter(image.split for image in images)
    version = DatasetVersion(
        id=version_id(classes, images),
        created=datetime.now(UTC),
        classes=tuple(classes),
        source=source,
        generated=generated,
        train=counts[TRAIN],
        test=counts[TEST],
        pool=counts[POOL],
        test_set=test_set_id(images),
        parent=parent,
        new_labels=new_labels,
        skipped=tuple(skipped),
        corrections=tuple(corrections),
    )
    texts = {split: lst_text(images, split).encode() for split in SPLITS}
    try:
        for split, text in texts.items():
            app.backend.objects.put(_list_key(version.id, split), text)
        with app.db.write() as connection:
            table.add(connection, version, images)
            settings.put(connection, "dataset", version.id)
    except BaseException:
        _take_lists_back(app, version.id)
        raise
    for split, text in texts.items():
        app.backend.objects.put(f"{split}.lst", text)
    return get(app, version.id)


def _list_key(version: str, split: str) -> str:
    return f"datasets/{version}/{split}.lst"


def _take_lists_back(app: App, version: str) -> None:
    """Remove the `.lst` files of a version that could not be recorded, unless it had been recorded before."""
    with app.db.read() as connection:
        if table.version(connection, version):
            return
    for split in SPLITS:
        app.backend.objects.delete(_list_key(version, split))


def cifar100_classes() -> tuple[str, ...]:
    """The classes that can be chosen from CIFAR-100."""
    return CLASSES


def versions(app: App) -> list[DatasetVersion]:
    """All dataset versions, newest first."""
    with app.db.read() as connection:
        return table.versions(connection)


def current(app: App) -> DatasetVersion | None:
    """The dataset version that was loaded or made last."""
    with app.db.read() as connection:
        return table.version(connection, settings.get(connection, "dataset"))


def get(app: App, dataset: str | None = None) -> DatasetVersion:
    """The named version, or the current one. Raises NotFound."""
    newest = current(app)
    if newest is None:
        raise NotFound("No images have been loaded yet: load a dataset first (command etl, page Data).")
    if dataset in (None, newest.id):
        return newest
    with app.db.read() as connection:
        found = table.version(connection, dataset)
    if found is None:
        raise NotFound(f"There is no dataset version “{dataset}”: the current one is {newest.id}.")
    return found


@logs.use_case
def make_current(app: App, dataset: str) -> DatasetVersion:
    """Make a dataset version the current one: the next training and retraining start from it. Raises NotFound."""
    version = get(app, dataset)
    listed = images(app, version.id)
    with app.db.write() as connection:
        settings.put(connection, "dataset", version.id)
    for split in SPLITS:
        app.backend.objects.put(f"{split}.lst", lst_text(listed, split).encode())
    return version


def images(app: App, dataset: str, split: str | None = None) -> list[LabelledImage]:
    """The labelled images of a dataset version, in key order."""
    with app.db.read() as connection:
        return table.images(connection, dataset, split)


def image(app: App, key: str) -> bytes:
    """The bytes of one image of a dataset version. Raises NotFound."""
    return app.backend.objects.get(key)


def balance(app: App, version: DatasetVersion) -> list[dict[str, object]]:
    """Images per split and class, as rows `{split, class, images}`."""
    return class_balance(images(app, version.id), version.classes)
