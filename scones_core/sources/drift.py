"""Images as a changed world would send them: darker, noisier, blurred."""

import io
import zlib

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from scones_core.domain.drift import SimulatedDrift
from scones_core.vision.images import decode


def drifted(data: bytes, drift: SimulatedDrift) -> bytes:
    """The image as PNG with the drift applied; the same bytes give the same result. Raises BadImage."""
    if drift in (SimulatedDrift.NONE, SimulatedDrift.CLASS_MIX):
        return data
    image = decode(data)
    if drift is SimulatedDrift.DARK:
        image = ImageEnhance.Brightness(image).enhance(0.3)
    elif drift is SimulatedDrift.BLUR:
        image = image.filter(ImageFilter.GaussianBlur(max(image.size) / 16))
    else:
        noise = np.random.default_rng(zlib.crc32(data)).normal(0, 45, (*image.size[::-1], 3))
        image = Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
