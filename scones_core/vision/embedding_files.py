"""Files of embeddings: one array of records, an image file's SHA-256 and the embedding of the picture."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scones_core.errors import Damaged
from scones_core.vision.extractor import WIDTH, Embeddings

__all__ = ["SUFFIX", "Records", "pack", "read_folder", "unpack"]

RECORD = np.dtype([("sha256", "S64"), ("embedding", "<f2", (WIDTH,))])
SUFFIX = ".npy"

Records = npt.NDArray[Any]


def pack(embeddings: Mapping[str, Embeddings]) -> bytes:
    """The file's bytes: records in the order of the mapping, SHA-256 (hexadecimal) → embedding."""
    records = np.zeros(len(embeddings), RECORD)
    records["sha256"] = [name.encode() for name in embeddings]
    if len(records):
        records["embedding"] = np.stack(list(embeddings.values()))
    buffer = io.BytesIO()
    np.save(buffer, records, allow_pickle=False)
    return buffer.getvalue()


def unpack(data: bytes) -> Records:
    """Records with the fields `sha256` (bytes) and `embedding`.  Raises Damaged."""
    try:
        records = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise Damaged("A file of embeddings cannot be read; it will be computed again.") from error
    if records.dtype != RECORD or records.ndim != 1:
        raise Damaged("A file of embeddings has another format; it will be computed again.")
    return np.asarray(records)


def read_folder(folder: Path) -> dict[str, Embeddings]:
    """All embeddings of a folder's files, by SHA-256; files that cannot be read are left out."""
    found: dict[str, Embeddings] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            records = unpack(path.read_bytes())
        except (Damaged, OSError):
            continue
        names = [name.decode("ascii", "replace") for name in records["sha256"].tolist()]
        found.update(zip(names, records["embedding"], strict=True))
    return found
