"""Changed copies of training images: darker, noisier or blurred, as a camera might send them later."""

import io
from collections.abc import Sequence
from typing import overload

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from scones_core.vision.images import decode

__all__ = ["ChangedCopies"]

BRIGHTNESS = (0.3, 0.7)  # factor
NOISE = (8.0, 30.0)  # standard deviation in grey levels
BLUR = (0.02, 0.05)  # radius as a share of the longer side


class ChangedCopies(Sequence[bytes]):
    """A changed copy of each image, made when it is asked for; the same seed gives the same copies."""

    def __init__(self, images: Sequence[bytes], seed: int) -> None:
        self._images, self._seed = images, seed
        self.names = getattr(images, "names", None)  # of a channel; errors then say which file

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return _changed(self._images[index], self._seed, index)


def _changed(data: bytes, seed: int, number: int) -> bytes:
    """The picture as PNG, changed in one way.  Raises BadImage."""
    picture, rng = decode(data), np.random.default_rng([seed, number])
    way = number % 3
    if way == 0:
        picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(*BRIGHTNESS))
    elif way == 1:
        noise = rng.normal(0, rng.uniform(*NOISE), (picture.height, picture.width, 3))
        picture = Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))
    else:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(*BLUR) * max(picture.size)))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
