"""Finds out what a source is and opens it."""

import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from scones_core.errors import BadInput, NotFound
from scones_core.sources import cifar100, sample
from scones_core.sources.candidates import Pictures, checked
from scones_core.sources.cifar100_members import Members, archive_members, folder_members, unpacked_folder
from scones_core.sources.folder_layout import read_class_folders
from scones_core.sources.lst_layout import has_lst_files, read_lst_files
from scones_core.sources.model import MOST_IMAGES, Download, Progress, Skipped, Source, SourceImage, no_progress
from scones_core.sources.naming import printable
from scones_core.sources.tree import Tree, TreeLimits, folder_tree, zip_tree


def open_source(
    spec: str,
    *,
    classes: Sequence[str] | None = None,
    cache: Path,
    seed: int = 0,
    on_progress: Progress | None = None,
    max_images: int = MOST_IMAGES,
    download: Download = cifar100.PUBLISHED,
) -> Source:
    """Open "cifar100" (downloaded into `cache`), "sample" (generated from `seed`), or a path.

    A path is a CIFAR-100 archive (or the folder it unpacks to), or a folder or zip with `.lst` files or with one folder
    per class. `classes` chooses among the source's classes and sets their order. Raises BadInput, NotFound, and for the
    download Unavailable, Damaged or Conflict; the iterator raises BadInput when a class turns out to have no image.
    """
    progress = on_progress or no_progress
    wanted = tuple(classes) if classes else None
    if spec == "sample":
        return sample.open_sample(wanted, seed, progress)
    if spec == "cifar100":
        cifar100.chosen_classes(wanted)
        from scones_core.sources.download import fetch  # brings requests, which nothing else here needs

        members = archive_members(fetch(download, cache, progress))
        return _cifar100("CIFAR-100", members, wanted, progress, max_images)
    return _path(spec, wanted, progress, max_images)


def _path(spec: str, classes: Sequence[str] | None, progress: Progress, most: int) -> Source:
    path = _existing(spec)
    limits = TreeLimits()
    try:
        unpacked = unpacked_folder(path)
        if unpacked is not None:
            return _cifar100(f"CIFAR-100 from {path.name}", folder_members(unpacked), classes, progress, most)
        if path.is_dir():
            tree = folder_tree(path, limits)
            return _pictures(path.name, lambda: nullcontext(tree), classes, progress, most)
        if _is_zip(path):
            return _pictures(path.name, lambda: zip_tree(path, limits), classes, progress, most)
        if _is_tar(path):
            return _cifar100(f"CIFAR-100 from {path.name}", archive_members(path), classes, progress, most)
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read ({(error.strerror or 'error').lower()}).") from error
    raise BadInput(f"{path.name} is neither a CIFAR-100 archive nor a zip file; give one of these, or a folder.")


def _existing(spec: str) -> Path:
    """The path as the user named it, where it exists and has a name."""
    try:
        path = Path(spec).expanduser()
        if spec and path.exists():
            return path if path.name not in ("", "..") else path.resolve()
    except (OSError, RuntimeError):  # no right to look, a name too long, or the home of nobody
        pass
    raise NotFound(f"There is no file or folder “{printable(Path(spec).name)}”; give cifar100, sample or a path.")


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4)
        return start == b"PK\x03\x04" or (start[:2] != b"\x1f\x8b" and zipfile.is_zipfile(file))


def _is_tar(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b" or tarfile.is_tarfile(path)


def _cifar100(
    description: str, members: Members, classes: Sequence[str] | None, progress: Progress, most: int
) -> Source:
    chosen, pictures = cifar100.read_cifar100(members, classes, progress)
    total = _counted(description, len(pictures.candidates), most)
    return Source(description, chosen, False, checked(pictures, chosen, description, progress), total)


def _pictures(
    name: str,
    opening: Callable[[], AbstractContextManager[Tree]],
    classes: Sequence[str] | None,
    progress: Progress,
    most: int,
) -> Source:
    """Lists what there is; a zip is opened again when the items are taken, and so never left open."""
    with opening() as tree:
        chosen, pictures = _read_tree(tree, classes)
        total = _counted(name, len(pictures.candidates), most)

    def items() -> Iterator[SourceImage | Skipped]:
        with opening() as tree:
            yield from checked(_read_tree(tree, classes)[1], chosen, name, progress)

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
