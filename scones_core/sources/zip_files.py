"""A zip file as a tree, read member by member."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scones_core.errors import BadInput
from scones_core.sources.file_names import decoded
from scones_core.sources.naming import printable
from scones_core.sources.tree import Tree, TreeLimits, is_picture, tree_of, within

IS_UTF8, IS_ENCRYPTED = 0x800, 1  # flag bits; Source: PKWARE APPNOTE 6.3.10, 4.4.4
UNICODE_PATH = 0x7075  # Source: the same, 4.6.9
ENTRY = b"PK\x01\x02"
# Python's readers of these unpack whole blocks: some kilobytes become gigabytes before anybody can count them.
UNBOUNDED = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA", 93: "Zstandard"}


@contextmanager
def zip_tree(archive: Path, limits: TreeLimits) -> Iterator[Tree]:
    """The files of a zip, open while the context lasts. Raises BadInput for what is damaged or unpacks too far."""
    name = printable(archive.name)
    with _CappedReads(archive, limits) as file, _opened_zip(file, name) as opened:
        listing = [info for info in opened.infolist() if not _is_folder(info)]
        _check(listing, name, limits)
        codec, names = _names(listing, name)
        reads = [_ZipFile(opened, info, limits.file_bytes).read for info in listing]
        yield tree_of(name, zip(names, reads, strict=True), codec, "the zip file")


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith("/") or (info.filename.endswith("\\") and not info.file_size)


class _CappedReads(io.BufferedReader):
    """zipfile reads a zip's whole index at once; this refuses an index that would fill the memory."""

    def __init__(self, path: Path, limits: TreeLimits) -> None:
        super().__init__(io.FileIO(path))
        self._limits = limits

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self._limits.listing_bytes:
            raise BadInput("it lists too many files")
        content = super().read(size)
        if content.startswith(ENTRY) and content.count(ENTRY) > 2 * self._limits.files:  # folders are entries, too
            raise BadInput("it lists too many files")
        return content


def _opened_zip(file: io.BufferedReader, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, BadInput, OSError, ValueError, NotImplementedError, struct.error, MemoryError) as error:
        raise BadInput(f"{name} is a damaged zip file or lists too many files; make it again.") from error


def _check(listing: Sequence[zipfile.ZipInfo], name: str, limits: TreeLimits) -> None:
    if len(listing) > limits.files:
        raise BadInput(f"{name} holds more than {limits.files:,} files; give a smaller one.")
    if sum(info.file_size for info in listing) > limits.zip_bytes:
        raise BadInput(f"{name} unpacks to more than {limits.zip_bytes >> 30} GB; it was not read.")
    for info in listing:
        if info.compress_type in UNBOUNDED:
            member, method = printable(PurePosixPath(info.filename).name), UNBOUNDED[info.compress_type]
            raise BadInput(f"{name} holds “{member}” packed with {method}; pack it again the usual way (Deflate).")
    pictures = [info for info in listing if is_picture(info.filename)] or listing
    if pictures and all(info.flag_bits & IS_ENCRYPTED for info in pictures):
        raise BadInput(f"{name} is protected by a password; pack it again without one.")
    if pictures and all(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in pictures):
        raise BadInput(f"{name} is packed in a way that is not read here; pack it again the usual way (Deflate).")


def _names(listing: Sequence[zipfile.ZipInfo], title: str) -> tuple[str, list[str]]:
    """The codec of those names whose entries do not say it, and all names."""
    told = [_told_name(info) for info in listing]
    untold = [_raw_name(info) for info, name in zip(listing, told, strict=True) if name is None]
    codec, found = _decoded(untold, title)
    rest = iter(found)
    return codec, [next(rest) if name is None else name for name in told]


def _decoded(raw: Sequence[bytes], title: str) -> tuple[str, list[str]]:
    try:
        return decoded(raw, title)
    except BadInput:
        if any(not name.rpartition(b"/")[0].isascii() or name.lower().endswith(b".lst") for name in raw):
            raise
        # No folder and no list depends on it: the pictures are called after what can be read.
        return "utf-8", [name.decode("utf-8", "surrogateescape") for name in raw]


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    """As it stands in the file; zipfile has read it as cp437."""
    return info.orig_filename.encode("cp437").split(b"\0")[0]


def _told_name(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & IS_UTF8:
        return info.orig_filename.split("\0")[0]
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == UNICODE_PATH and len(field) > 5 and field[0] == 1:
            checksum = struct.unpack_from("<I", field, 1)[0]
            if checksum == zlib.crc32(info.orig_filename.encode("cp437")):
                return field[5:].decode("utf-8", "replace").split("\0")[0]
    return None


@dataclass(frozen=True)
class _ZipFile:
    opened: zipfile.ZipFile
    info: zipfile.ZipInfo
    most: int

    def read(self) -> bytes:
        if self.info.flag_bits & IS_ENCRYPTED:
            raise BadInput("it is protected by a password")
        try:
            with self.opened.open(self.info) as file:
                return within(file.read(self.most + 1), self.most)
        except BadInput:
            raise
        except NotImplementedError as error:
            raise BadInput("it is packed in a way that is not read here; pack it again the usual way") from error
        except MemoryError:
            raise BadInput("it takes more memory than there is") from None
        except Exception as error:  # zipfile meets damage with BadZipFile, and with whatever its parsing stumbles over
            raise BadInput("it is damaged in the zip file") from error
