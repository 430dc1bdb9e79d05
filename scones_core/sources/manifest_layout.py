"""Pictures named by a label file: Ground Truth's augmented manifest, and the other formats of `domain.label_files`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn

from scones_core.domain.label_files import NotALabelFile, RefusedRow, Rows, rows_of
from scones_core.errors import BadInput, SconesError
from scones_core.sources.model import Candidate, Pictures, Skipped, check_classes
from scones_core.sources.naming import choose, composed, printable
from scones_core.sources.split_names import role, splits_of

S3 = "s3://"
LARGEST = 200 << 20  # bytes of a label file
CONTROLS = ("other", "unusable", "unsure", "skip")  # answers of reviewers that are no classes, unless asked for


@dataclass(frozen=True)
class Bucket:
    """The bucket that can be read. get : bytes of a key; raises SconesError."""

    name: str
    get: Callable[[str], bytes]

    def read(self, uri: str) -> bytes:
        """Raises BadInput for another bucket, or a missing object."""
        bucket, _, key = uri.removeprefix(S3).partition("/")
        if bucket != self.name:
            raise BadInput(f"“{printable(uri)}” is not in this home's bucket, “{self.name}”: copy it there first")
        try:
            return self.get(key)
        except SconesError as error:
            raise BadInput(f"“{printable(uri)}” cannot be read: {error}") from None


def read_label_file(
    name: str, data: bytes, folder: Path | None, bucket: Bucket | None, classes: Sequence[str] | None
) -> tuple[tuple[str, ...], Pictures]:
    """The chosen classes (default: all labels, sorted), the pictures, and the rows that are left out, by reason.

    folder : where pictures with a relative path lie, and copies of those of other buckets, under their keys; None for a
    label file of the bucket, whose relative paths are keys.
    Raises BadInput.
    """
    rows, skipped = list[tuple[str, str, str]](), list[Skipped]()
    for row in _rows(name, data):
        if isinstance(row, RefusedRow):
            skipped.append(Skipped(f"row {row.row}", row.reason))
        elif not row.image:
            skipped.append(Skipped(f"row {row.row}", "The row names no image."))
        elif row.label in CONTROLS and row.label not in (classes or ()):
            skipped.append(Skipped(f"row {row.row}", f"“{row.label}” is no class; choose it as one to use it."))
        else:
            rows.append((f"row {row.row}", row.image, composed(row.label)))
    available = tuple(sorted({label for _, _, label in rows}))
    if not available:
        why = f" ({skipped[0].name}: {skipped[0].reason})" if skipped else ""
        raise BadInput(f"{name} has no usable row{why}; give image and label of each.")
    chosen = check_classes(choose(classes or available, available, name))
    splits = _splits([image for _, image, _ in rows])
    candidates = [
        Candidate(splits.get(_top(image)), _path(image), label, _reader(image, folder, bucket))
        for _, image, label in rows
        if label in chosen
    ]
    return chosen, Pictures(candidates, skipped)


def _rows(name: str, data: bytes) -> Rows:
    if len(data) > LARGEST:
        raise BadInput(f"{name} is larger than {LARGEST >> 20} MB; give it in parts.")
    try:
        yield from rows_of(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadInput(f"{name} is not text in UTF-8; save it so.") from None
    except NotALabelFile as error:
        raise BadInput(f"{name} is not a label file. {error}") from None


def _path(image: str) -> str:
    """The path of a picture, without its bucket."""
    return image.removeprefix(S3).partition("/")[2] if image.startswith(S3) else image


def _top(image: str) -> str:
    """The innermost folder that is called as a split."""
    folders = PurePosixPath(_path(image)).parts[:-1]
    return next((name for name in reversed(folders) if role(name)), "")


def _splits(images: Sequence[str]) -> Mapping[str, str | None]:
    """Those that the keys name, if they name train and test; what is labelled is no longer pool."""
    found = splits_of({name: found for name in {_top(image) for image in images} if (found := role(name))})
    named = {name: "train" if split == "pool" else split for name, split in found.items()}
    return named if {"train", "test"} <= set(named.values()) else {}


def _reader(image: str, folder: Path | None, bucket: Bucket | None) -> Callable[[], bytes]:
    """What reads a picture: from the bucket, or the file beside the label file."""

    def read() -> bytes:
        if bucket and (image.startswith(f"{S3}{bucket.name}/") or (folder is None and not image.startswith(S3))):
            return bucket.read(image if image.startswith(S3) else f"{S3}{bucket.name}/{image}")
        if folder is not None and (file := _inside(folder, _path(image))):
            try:
                return file.read_bytes()
            except OSError as error:
                raise BadInput(f"“{printable(image)}” cannot be read ({(error.strerror or 'error').lower()})") from None
        return _refused(image, bucket)

    return read


def _refused(image: str, bucket: Bucket | None) -> NoReturn:
    if image.startswith(S3):
        here = f", “{bucket.name}”," if bucket else ""
        raise BadInput(
            f"“{printable(image)}” is neither in this home's bucket{here} nor, under its key, beside the label file"
        )
    raise BadInput(f"“{printable(image)}” is not beside the label file")


def _inside(folder: Path, name: str) -> Path | None:
    """The file of a relative name in the folder; None if it is missing or lies elsewhere."""
    try:
        file = (folder / name).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None
