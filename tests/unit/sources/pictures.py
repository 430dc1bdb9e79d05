"""Pictures and folders of them, as sources are given them."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from scones_core.sources import Skipped, Source, SourceImage

Files = Mapping[str, bytes | str]


def picture(number: int, *, format: str = "PNG", side: int = 32, mode: str = "RGB") -> bytes:
    """A picture that differs for every number."""
    noise = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(noise).resize((side, side), Image.Resampling.NEAREST).convert(mode).save(written, format=format)
    return written.getvalue()


def pictures_of(classes: str, count: int, folder: str = "") -> dict[str, bytes]:
    return {f"{folder}{name}/{n:03}.png": picture(1000 * ord(name) + n) for name in classes for n in range(count)}


def write(folder: Path, files: Files) -> str:
    """Returns the folder as a source is named."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(folder)


def images(source: Source) -> list[SourceImage]:
    return taken_and_skipped(source)[0]


def taken_and_skipped(source: Source) -> tuple[list[SourceImage], list[Skipped]]:
    items = list(source.items)
    return [i for i in items if isinstance(i, SourceImage)], [i for i in items if isinstance(i, Skipped)]
