"""Dataset versions: immutable lists of labelled images, named by the digest of their contents."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

TRAIN, TEST = "train", "test"


@dataclass(frozen=True, order=True)
class LabelledImage:
    """One image of a dataset version. `key` is its key in the object store, under `train/` or `test/`."""

    split: str
    key: str
    class_index: int
    sha256: str


@dataclass(frozen=True)
class DatasetVersion:
    """An immutable list of labelled images. `source` says where it came from, in words; `parent` is a version id."""

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


def version_id(classes: Sequence[str], images: Iterable[LabelledImage]) -> str:
    """First 12 hex digits of the SHA-256 over the class names and the sorted images."""
    digest = hashlib.sha256("\n".join(classes).encode())
    for image in sorted(images):
        digest.update(f"\n{image.split}\t{image.key}\t{image.class_index}\t{image.sha256}".encode())
    return digest.hexdigest()[:12]


def lst_text(images: Sequence[LabelledImage], split: str) -> str:
    """The `.lst` file of one split: `row  class-index  path` relative to `train/` or `test/`, tab-separated.

    Source: SageMaker built-in image classification, "Train with image format".
    """
    rows = [image for image in images if image.split == split]
    return "".join(f"{row}\t{i.class_index}\t{i.key.removeprefix(split + '/')}\n" for row, i in enumerate(rows))


def class_balance(images: Iterable[LabelledImage], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Images per split and class, as rows `{split, class, images}`."""
    counts = Counter((image.split, image.class_index) for image in images)
    return [
        {"split": split, "class": name, "images": counts[split, index]}
        for split in (TRAIN, TEST)
        for index, name in enumerate(classes)
    ]


def with_reviewed(
    base: Sequence[LabelledImage], reviewed: Mapping[str, tuple[str, int]], names_of: Mapping[str, str]
) -> list[LabelledImage]:
    """The base images plus the reviewed ones, which all go into `train`.

    A reviewed image leaves the test split, and so does every test image a reviewed one was derived from (same file
    name): what a model was trained on must never measure it.

    reviewed : SHA-256 → (key under `train/`, class index).
    names_of : SHA-256 → file name of the image it was made from; may be empty.
    """
    derived = {names_of[sha] for sha in reviewed if sha in names_of}
    kept = [
        image
        for image in base
        if image.sha256 not in reviewed and not (image.split == TEST and image.key.rsplit("/", 1)[-1] in derived)
    ]
    added = [LabelledImage(TRAIN, key, index, sha) for sha, (key, index) in reviewed.items()]
    return sorted([*kept, *added])
