"""Statistics of a picture that a camera, its light or its lens changes: brightness, contrast, edges and colour."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scones_core.vision.images import LUMA, pixels

__all__ = ["SIDE", "STATISTICS", "statistics_of"]

STATISTICS = ("brightness", "contrast", "edges", "colour")
SIDE = 32  # pixels that pictures are scaled to first, so that figures of different sizes compare


def statistics_of(data: bytes) -> Sequence[float]:
    """The `STATISTICS` of an image file, each in [0, 1].  Raises BadImage.

    brightness : mean luma.  contrast : its standard deviation.  edges : mean difference of neighbouring pixels' luma,
    which blur lowers and noise raises.  colour : mean of the largest less the smallest of red, green and blue.
    """
    picture: npt.NDArray[np.float64] = pixels(data, SIDE) / 255
    luma = picture @ LUMA
    edges = (np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma, axis=1)).mean()) / 2
    colour = (picture.max(axis=2) - picture.min(axis=2)).mean()
    return [float(luma.mean()), float(luma.std()), float(edges), float(colour)]
