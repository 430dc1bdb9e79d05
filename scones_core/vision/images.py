"""From the bytes of an image file to pixels the classifier takes."""

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from scones_core.errors import BadImage

__all__ = ["decode", "pixels"]

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 50_000_000  # 150 MB as RGB; a phone's photograph has 12 to 50 million
Pixels = npt.NDArray[np.uint8]


def decode(data: bytes) -> Image.Image:
    """The picture as an RGB image, upright.

    PNG, JPEG and WebP only; the first frame of an animation; EXIF orientation applied; 16-bit greys rescaled to
    8 bits; transparent parts shown on white.  Raises BadImage.
    """
    if not data:
        raise BadImage("The image file is empty; give a PNG, JPEG or WebP file.")
    try:
        return _opened(data)
    except UnidentifiedImageError:
        raise BadImage("The file is not a readable PNG, JPEG or WebP image; convert it to one of these.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise _too_large() from None
    # Pillow's decoders meet damaged files with any of these.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError, OverflowError) as error:
        raise BadImage("The image file is truncated or damaged; export or upload it again.") from error


def pixels(data: bytes, side: int = 32) -> Pixels:
    """Decoded and resized to a square: uint8, shape (side, side, 3), red, green, blue.  Raises BadImage.

    The picture is stretched, not cropped, as the datasets of small images do.
    """
    image = decode(data)
    if image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(image, dtype=np.uint8)


def _opened(data: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd EXIF or colour profiles are no reason to refuse
        with Image.open(io.BytesIO(data), formats=FORMATS) as file:
            # The header is read, the pixels are not yet: the size is refused before it costs memory.
            if file.width * file.height > MOST_PIXELS:
                raise _too_large()
            return _as_rgb(ImageOps.exif_transpose(file))


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _from_16_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    # Pillow's own conversion clips everything above 255 to white.
    grey = np.asarray(image).astype(np.float64)
    return Image.fromarray((grey / 257).round().clip(0, 255).astype(np.uint8)).convert("RGB")


def _too_large() -> BadImage:
    return BadImage(f"The image has more than {MOST_PIXELS // 1_000_000} million pixels; give a smaller one.")
