"""Source archive for script-mode containers."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from scones_core.aws.object_store import S3ObjectStore

PACKAGE = Path(__file__).resolve().parents[1]
CONTAINER = Path(__file__).resolve().parent / "container"
NEEDED = ("numpy", "pandas", "Pillow", "scikit-learn", "scipy", "threadpoolctl", "onnxruntime")  # of requirements.txt


def packed() -> bytes:
    """A `sourcedir.tar.gz`: the entry points, `scones_core.vision` with what it imports, and their requirements.

    The same files give the same bytes.
    """
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, data in sorted(_files()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def uploaded(objects: S3ObjectStore) -> str:
    """Store the archive under its content digest, unless it exists; returns its S3 URI."""
    data = packed()
    key = f"code/{hashlib.sha256(data).hexdigest()[:32]}/sourcedir.tar.gz"
    objects.put_new(key, data)
    return objects.uri(key)


def _files() -> Iterator[tuple[str, bytes]]:
    for path in CONTAINER.glob("[!_]*.py"):
        yield path.name, path.read_bytes()
    modules = [
        PACKAGE / "__init__.py",
        PACKAGE / "errors.py",
        *PACKAGE.glob("vision/*.py"),
        *PACKAGE.glob("vision/extractor.*[!y]"),  # weights and notice
        *PACKAGE.glob("domain/*.py"),
    ]
    for path in modules:
        yield f"scones_core/{path.relative_to(PACKAGE).as_posix()}", path.read_bytes()
    yield "requirements.txt", _requirements().encode()


def _requirements() -> str:
    files = [PACKAGE.parent / "requirements.txt", PACKAGE / "files" / "requirements.txt"]  # of a checkout, installed
    lines = next(file for file in files if file.is_file()).read_text().splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith(NEEDED))
