"""Finds out what a source is and opens it."""

import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from scones_core.errors import BadInput, NotFound
from scones_core.sources import cifar100, sample
from scones_core.sources.candidates import checked
from scones_core.sources.cifar100_members import Members, archive_members, folder_members, unpacked_folder
from scones_core.sources.folder_layout import read_class_folders
from scones_core.sources.lst_layout import has_lst_files, read_lst_files
from scones_core.sources.manifest_layout import S3, Bucket, read_label_file
from scones_core.sources.model import (
    MOST_IMAGES,
    Download,
    Pictures,
    Progress,
    Skipped,
    Source,
    SourceImage,
    no_progress,
)
from scones_core.sources.naming import composed, printable
from scones_core.sources.splitting import STREAM_SHARE, Aside, but_a_base, by_share, check_share
from scones_core.sources.tree import Tree, TreeLimits, folder_tree
from scones_core.sources.zip_files import zip_tree

LABEL_FILES = {".manifest", ".jsonl", ".json", ".csv"}


@dataclass(frozen=True)
class _Wanted:
    """What the caller asked for. aside: how many train images become pool; None where the source decides."""

    classes: tuple[str, ...] | None
    aside: Aside | None
    most: int
    progress: Progress
    bucket: Bucket | None = None

    @property
    def of_stream(self) -> Aside:
        return self.aside or by_share(STREAM_SHARE)


def open_source(
    spec: str,
    *,
    classes: Sequence[str] | None = None,
    cache: Path,
    on_progress: Progress | None = None,
    max_images: int = MOST_IMAGES,
    download: Download = cifar100.PUBLISHED,
    pool_share: float | None = None,
    base: int | None = None,
    bucket: Bucket | None = None,
) -> Source:
    """Open "cifar100" (downloaded into `cache`), "sample" (generated), or a path.

    A path is a CIFAR-100 archive (or the folder it unpacks to), a folder or zip with `.lst` files or with one folder
    per class, or a label file such as an augmented manifest, also as `s3://…` in `bucket`. `classes` chooses among the
    source's classes and sets their order. `pool_share` of each class's train images, in [0, 0.9], become pool, or all
    but a `base` of each class; with neither, a fifth where the source stands in for a stream (CIFAR-100, the sample).
    Raises BadInput, NotFound, and for the download Unavailable, Damaged or Conflict; the iterator raises BadInput when
    a class turns out to have no image.
    """
    aside = _aside(pool_share, base)
    wanted = _Wanted(
        tuple(map(composed, classes)) if classes else None,
        aside,
        max_images,
        on_progress or no_progress,
        bucket,
    )
    if spec == "sample":
        return sample.open_sample(wanted.classes, wanted.progress, wanted.of_stream)
    if spec == "cifar100":
        cifar100.chosen_classes(wanted.classes)
        from scones_core.sources.download import fetch  # brings requests, which nothing else here needs

        return _cifar100("CIFAR-100", archive_members(fetch(download, cache, wanted.progress)), wanted)
    if spec.startswith(S3):
        if bucket is None:
            raise NotFound(f"“{printable(spec)}” cannot be read: there is no bucket.")
        return _label_file(printable(spec.rpartition("/")[2]), bucket.read(spec), None, wanted)
    return _path(spec, wanted)


def _aside(pool_share: float | None, base: int | None) -> Aside | None:
    if pool_share is not None:
        return by_share(check_share(pool_share))
    return None if base is None else but_a_base(base)


def _path(spec: str, wanted: _Wanted) -> Source:
    path = _existing(spec)
    name = printable(path.name)
    limits = TreeLimits()
    try:
        unpacked = unpacked_folder(path)
        if unpacked is not None:
            return _cifar100(f"CIFAR-100 from {name}", folder_members(unpacked), wanted)
        if path.is_dir():
            tree = folder_tree(path, limits)
            return _pictures(name, lambda: nullcontext(tree), wanted)
        if _is_zip(path):
            return _pictures(name, lambda: zip_tree(path, limits), wanted)
        if _is_tar(path):
            return _cifar100(f"CIFAR-100 from {name}", archive_members(path), wanted)
        if _is_text(path):
            return _label_file(name, path.read_bytes(), path.parent, wanted)
    except OSError as error:
        raise BadInput(f"{name} cannot be read ({(error.strerror or 'error').lower()}).") from error
    raise BadInput(f"{name} is neither a CIFAR-100 archive nor a zip nor a label file; give one of these, or a folder.")


def _existing(spec: str) -> Path:
    """The path as the user named it, where it exists and has a name."""
    try:
        path = Path(spec).expanduser()
        if spec and path.exists():
            if not (path.is_file() or path.is_dir()):
                raise BadInput(f"“{printable(spec)}” is a device or a pipe; give a file or a folder.")
            return path if path.name not in ("", "..") else path.resolve()
    except (OSError, RuntimeError):  # no right to look, a name too long, or the home of nobody
        pass
    raise NotFound(f"There is no file or folder “{printable(spec)}”; give cifar100, sample or a path.")


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4)
        return start == b"PK\x03\x04" or (start[:2] != b"\x1f\x8b" and zipfile.is_zipfile(file))


def _is_tar(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b" or tarfile.is_tarfile(path)


def _is_text(path: Path) -> bool:
    """Whether it begins as a label file does, in characters and not in bytes of an image or an archive."""
    with path.open("rb") as file:
        start = file.read(2048)
    return path.suffix.lower() in LABEL_FILES or start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def _label_file(name: str, data: bytes, folder: Path | None, wanted: _Wanted) -> Source:
    chosen, pictures = read_label_file(name, data, folder, wanted.bucket, wanted.classes)
    total = _counted(name, len(pictures.candidates), wanted.most)
    items = checked(pictures, chosen, name, wanted.aside, wanted.progress)
    return Source(name, chosen, False, items, total)


def _cifar100(description: str, members: Members, wanted: _Wanted) -> Source:
    chosen, pictures = cifar100.read_cifar100(members, wanted.classes, wanted.progress)
    total = _counted(description, len(pictures.candidates), wanted.most)
    items = checked(pictures, chosen, description, wanted.of_stream, wanted.progress)
    return Source(description, chosen, False, items, total)


def _pictures(name: str, opening: Callable[[], AbstractContextManager[Tree]], wanted: _Wanted) -> Source:
    """Lists what there is; a zip is opened again when the items are taken, and so never left open."""
    with opening() as tree:
        chosen, pictures = _read_tree(tree, wanted.classes)
        total = _counted(name, len(pictures.candidates), wanted.most)

    def items() -> Iterator[SourceImage | Skipped]:
        with opening() as tree:
            pictures = _read_tree(tree, wanted.classes)[1]
            yield from checked(pictures, chosen, name, wanted.aside, wanted.progress)

    return Source(name, chosen, False, items(), total)


def _read_tree(tree: Tree, classes: Sequence[str] | None) -> tuple[tuple[str, ...], Pictures]:
    """The chosen classes and the pictures of a folder or zip, in either layout."""
    tree = tree.below_single_folders()
    chosen, pictures = read_lst_files(tree, classes) if has_lst_files(tree) else read_class_folders(tree, classes)
    return chosen, replace(pictures, skipped=(*tree.skipped, *pictures.skipped))


def _counted(description: str, total: int, most: int) -> int:
    if total > most:
        raise BadInput(f"{description} has {total:,} images of the chosen classes; the most is {most:,}.")
    return total
