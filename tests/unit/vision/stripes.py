"""A small task to learn: upright, level and slanted stripes on noise."""

import io

import numpy as np
from PIL import Image

from scones_core.vision.dictionary import Block
from scones_core.vision.options import Options

SMALL = Options(blocks=(Block(patch=4, words=16, grid=2),))


def picture(kind: int, seed: int, *, noise: float = 40, side: int = 32, mirrored: bool = False) -> bytes:
    """Stripes on noise: 0 upright, 1 level, 2 slanted."""
    rng = np.random.default_rng([kind, seed])
    row, column = np.mgrid[:side, :side]
    phase = [column, row, row + column][kind] * (1.0 + rng.uniform(-0.1, 0.1)) + rng.uniform(0, 6)
    grey = 128 + 60 * np.sin(phase)[..., None] + rng.normal(0, noise, (side, side, 3))
    values = grey.clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values[:, ::-1] if mirrored else values).save(buffer, "PNG")
    return buffer.getvalue()


def task(per_class: int, kinds: int = 2, start: int = 0, **looks: float) -> tuple[list[bytes], list[int]]:
    labels = [kind for kind in range(kinds) for _ in range(per_class)]
    return [picture(kind, start + i, **looks) for i, kind in enumerate(labels)], labels
