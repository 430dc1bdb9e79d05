"""The model artifact: a folder, or `model.tar.gz`, with one JSON document and plain arrays. It contains no code."""

import gzip
import hashlib
import hmac
import io
import json
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scones_core.errors import Damaged

__all__ = ["DOCUMENT", "HELD_OUT", "files", "held_out_of", "pack", "pack_files", "parse", "unpack", "write"]

Array = npt.NDArray[np.generic]

DOCUMENT = "model.json"
HELD_OUT = "held_out"  # array of held-out probabilities
MOST_BYTES = 512 * 2**20  # of all files together, unpacked
MOST_FILES = 64


def files(document: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, bytes]:
    """File name → content: `model.json` and one `<name>.npy` per array."""
    contents = {DOCUMENT: (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()}
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
        contents[f"{name}.npy"] = buffer.getvalue()
    return contents


def write(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write the files; `model.json` is written last and atomically; it marks the folder as complete."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(contents, key=lambda name: name == DOCUMENT):
        part = folder / f".{name}.part"
        part.write_bytes(contents[name])
        part.replace(folder / name)


def pack(folder: Path) -> bytes:
    """`model.tar.gz` of a model folder's files: the same files give the same bytes."""
    found = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return pack_files({path.name: path.read_bytes() for path in found})


def pack_files(contents: Mapping[str, bytes]) -> bytes:
    """`model.tar.gz` of files in memory; independent of time, owner and file order."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name in sorted(contents):
            member = tarfile.TarInfo(name)
            member.size = len(contents[name])
            tar.addfile(member, io.BytesIO(contents[name]))
    return buffer.getvalue()


def unpack(data: bytes, sha256: str | None = None) -> dict[str, bytes]:
    """The files in `model.tar.gz`.  Raises Damaged if the checksum differs, or it is not such an archive."""
    if sha256 is not None and not hmac.compare_digest(hashlib.sha256(data).hexdigest(), sha256.lower()):
        raise Damaged("The model artifact does not match its recorded SHA-256; restore it or train again.")
    try:
        return _members(data)
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
        raise Damaged("The model artifact is not a readable model.tar.gz; restore it or train again.") from error


def parse(contents: Mapping[str, bytes]) -> tuple[dict[str, Any], dict[str, Array]]:
    """The document and the arrays by name.  Raises Damaged."""
    try:
        document = json.loads(contents[DOCUMENT])
        arrays = {
            name.removesuffix(".npy"): np.load(io.BytesIO(content), allow_pickle=False)
            for name, content in contents.items()
            if name.endswith(".npy")
        }
    except (KeyError, ValueError, EOFError, OSError, MemoryError, SyntaxError, RecursionError) as error:
        raise Damaged("The model artifact's files cannot be read; restore it or train again.") from error
    if not isinstance(document, dict):
        raise Damaged("The model artifact's model.json is not a JSON object; restore it or train again.")
    return document, arrays


def held_out_of(data: bytes, sha256: str | None = None) -> Array | None:
    """Held-out probabilities in a `model.tar.gz`, (training images, classes), in the order of the train channel.

    None if there are none, as in artifacts of other algorithms.  Raises Damaged.
    """
    contents = unpack(data, sha256)
    name = f"{HELD_OUT}.npy"
    if DOCUMENT not in contents or name not in contents:
        return None
    return parse({DOCUMENT: contents[DOCUMENT], name: contents[name]})[1][HELD_OUT]


def _members(data: bytes) -> dict[str, bytes]:
    """Regular files at the top of the archive, read as streams: nothing is extracted to disk."""
    contents: dict[str, bytes] = {}
    left = MOST_BYTES
    with tarfile.open(fileobj=io.BytesIO(data), mode="r|gz") as tar:
        for member in tar:
            name = member.name.removeprefix("./")
            if not member.isreg() or "/" in name:
                continue
            left -= member.size
            if left < 0 or len(contents) >= MOST_FILES:
                raise Damaged("The model artifact is too large for a model of this app; it is not used.")
            stream = tar.extractfile(member)
            contents[name] = stream.read() if stream is not None else b""
    return contents
