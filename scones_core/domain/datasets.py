"""Dataset versions: immutable lists of labelled images, named by the digest of their contents."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

# `test` is sealed: it is never trained on, and sent only where there is no pool. `pool` is what is sent through the
# workflow, reviewed, and then trained on.
TRAIN, POOL, TEST = "train", "pool", "test"
SPLITS = (TRAIN, POOL, TEST)
TRAFFIC = "traffic/"  # changed images lie here, below the drift's name, under the key of what they were made from


@dataclass(frozen=True, order=True)
class LabelledImage:
    """One image of a dataset version. `key` is its key in the object store, under the name of its split."""

    split: str
    key: str
    class_index: int
    sha256: str


@dataclass(frozen=True)
class DatasetVersion:
    """An immutable list of labelled images. `source` describes its origin; `parent` is a version id.

    test_set : names the test images and their labels: figures are comparable only on the same test set.
    corrections : reviews of test images since the parent, rows {key, was, now} of class names.
    """

    id: str
    created: datetime
    classes: tuple[str, ...]
    source: str
    generated: bool
    train: int
    test: int
    parent: str | None = None
    new_labels: int = 0
    skipped: tuple[Mapping[str, Any], ...] = ()
    pool: int = 0
    test_set: str = ""
    corrections: tuple[Mapping[str, Any], ...] = ()

    @property
    def images(self) -> int:
        """Of all splits."""
        return self.train + self.pool + self.test

    @property
    def sent_split(self) -> str:
        """The split whose images are sent through the workflow."""
        return POOL if self.pool else TEST


def version_id(classes: Sequence[str], images: Iterable[LabelledImage]) -> str:
    """First 12 hex digits of the SHA-256 over the class names and the sorted images."""
    digest = hashlib.sha256("\n".join(classes).encode())
    for image in sorted(images):
        digest.update(f"\n{image.split}\t{image.key}\t{image.class_index}\t{image.sha256}".encode())
    return digest.hexdigest()[:12]


def test_set_id(images: Iterable[LabelledImage]) -> str:
    """First 12 hex digits of the SHA-256 over the test images, sorted, with their labels."""
    lines = sorted(f"{image.sha256}\t{image.class_index}" for image in images if image.split == TEST)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def lst_text(images: Sequence[LabelledImage], split: str) -> str:
    """The `.lst` file of one split: `row  class-index  path` relative to the split's folder, tab-separated.

    Source: SageMaker built-in image classification, "Train with image format".
    """
    rows = [image for image in images if image.split == split]
    return "".join(f"{row}\t{i.class_index}\t{i.key.removeprefix(split + '/')}\n" for row, i in enumerate(rows))


def class_balance(images: Iterable[LabelledImage], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Images per split and class, as rows `{split, class, images}`."""
    counts = Counter((image.split, image.class_index) for image in images)
    return [
        {"split": split, "class": name, "images": counts[split, index]}
        for split in SPLITS
        if any(found == split for found, _ in counts)
        for index, name in enumerate(classes)
    ]


@dataclass(frozen=True)
class ReviewedImage:
    """A reviewed image. key : of its copy, under `train/`; class_index : its label, None for none of the classes.

    made_from : key of the image it was derived from, as test traffic derives them, or its file name alone, as older
    versions of the app kept it; None where it was not derived.
    copy_of : key of the test image it was found to be a copy of.
    """

    sha256: str
    key: str
    class_index: int | None
    made_from: str | None = None
    copy_of: str | None = None


@dataclass(frozen=True)
class Correction:
    """A review of a test image, or of a copy of one. The label stays `was` if `now` is None (none of the classes)."""

    key: str
    was: int
    now: int | None


@dataclass(frozen=True)
class Revision:
    """Contents of a dataset version with reviewed labels. added : number of reviewed images in `train`."""

    images: list[LabelledImage]
    corrections: list[Correction]
    added: int


def with_reviewed(base: Sequence[LabelledImage], reviewed: Sequence[ReviewedImage]) -> Revision:
    """The base images combined with the reviewed ones, newest first.

    The test split is sealed: a reviewed test image, or a copy of one, corrects its label and is never trained on. All
    others go into `train`, replacing the same image in `train` or `pool`; the image they were derived from also
    leaves the pool.
    """
    corrections, to_train = _divide(base, reviewed)
    new = {correction.key: correction for correction in corrections}
    trained = {image.sha256 for image in to_train}
    derived = {image.made_from for image in to_train}
    kept = [
        _corrected(image, new.get(image.key)) if image.split == TEST else image
        for image in base
        if image.split == TEST or (image.sha256 not in trained and not (image.split == POOL and image.key in derived))
    ]
    added = [LabelledImage(TRAIN, i.key, i.class_index, i.sha256) for i in to_train if i.class_index is not None]
    return Revision(sorted([*kept, *added]), corrections, len(added))


def _divide(
    base: Sequence[LabelledImage], reviewed: Sequence[ReviewedImage]
) -> tuple[list[Correction], list[ReviewedImage]]:
    """Test corrections, and images to train on. A review of the test image overrides those of its copies."""
    tests = [image for image in base if image.split == TEST]
    by_sha256 = {image.sha256: image for image in tests}
    by_name, by_key = {_file_name(image): image for image in tests}, {image.key: image for image in tests}
    corrections: dict[str, Correction] = {}
    to_train: list[ReviewedImage] = []
    for image in sorted(reviewed, key=lambda image: image.sha256 not in by_sha256):
        names = (by_key.get(image.copy_of or ""), by_key.get(image.made_from or ""), by_name.get(image.made_from or ""))
        found = by_sha256.get(image.sha256) or next(filter(None, names), None)
        if found is None:
            to_train.append(image)
        else:
            corrections.setdefault(found.key, Correction(found.key, found.class_index, image.class_index))
    changed = [correction for correction in corrections.values() if correction.was != correction.now]
    return sorted(changed, key=lambda correction: correction.key), to_train


def made_from(image_key: str | None) -> str | None:
    """The origin of a derived image, from its key: a key, or only a file name; None if it is not derived."""
    if not image_key or not image_key.startswith(TRAFFIC):
        return None
    return image_key.removeprefix(TRAFFIC).partition("/")[2] or None


def _file_name(image: LabelledImage) -> str:
    return image.key.rsplit("/", 1)[-1]


def _corrected(image: LabelledImage, correction: Correction | None) -> LabelledImage:
    if correction is None or correction.now is None:
        return image
    return replace(image, class_index=correction.now)
