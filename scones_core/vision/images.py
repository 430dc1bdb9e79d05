"""Decoding of image files to the classifier's pixels."""

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError

from scones_core.errors import BadImage

__all__ = ["LUMA", "Pixels", "decode", "pixels", "square"]

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 50_000_000  # 150 MB as RGB; a phone's photograph has 12 to 50 million
LUMA = np.array([0.299, 0.587, 0.114])  # of red, green and blue.  Source: ITU-R BT.601-7, 2.5.1
STRIP = 1 << 20  # pixels worked on at once
Pixels = npt.NDArray[np.uint8]

# Both hold for the whole process, as threads that decode side by side would undo each other's settings.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # odd EXIF does not make an image invalid

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by the EXIF orientation; Source: CIPA DC-008-2024, 4.6.5.1.4


def decode(data: bytes) -> Image.Image:
    """The picture as an RGB image, upright.

    PNG, JPEG and WebP only; the first frame of an animation; EXIF orientation applied if readable; 16-bit
    greys rescaled to 8 bits; transparent parts shown on white.  Raises BadImage.
    """
    if not data:
        raise BadImage("The image file is empty; give a PNG, JPEG or WebP file.")
    try:
        return _opened(data)
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage("The file is not a readable PNG, JPEG or WebP image; convert it to one of these.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise _too_large() from None
    except Exception as error:  # on damaged files Pillow's decoders raise whatever their parsing stumbles over
        raise BadImage("The image file is truncated or damaged; export or upload it again.") from error


def pixels(data: bytes, side: int = 32) -> Pixels:
    """Decoded and resized to a square: uint8, shape (side, side, 3), red, green, blue.  Raises BadImage.

    The picture is stretched, not cropped, as the datasets of small images do.
    """
    return square(decode(data), side)


def square(picture: Image.Image, side: int) -> Pixels:
    """A decoded picture as `pixels` gives it."""
    if picture.size != (side, side):
        picture = picture.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(picture, dtype=np.uint8)


def _opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=FORMATS) as file:
        # The header is read, the pixels are not yet: the size is refused before it costs memory.
        if file.width * file.height > MOST_PIXELS:
            raise _too_large()
        file.load()
        turn = _turn(file)
        picture = _as_rgb(file, _bits(data))
    return picture.transpose(turn) if turn is not None else picture


def _turn(image: Image.Image) -> Image.Transpose | None:
    """The transposition that sets the picture upright; unreadable metadata is ignored.

    Pillow's own `exif_transpose` writes all the metadata again, and fails where one field is odd.
    """
    try:
        return UPRIGHT.get(int(image.getexif().get(ExifTags.Base.Orientation, 1)))
    except Exception:  # as in `decode`
        return None


def _bits(data: bytes) -> int:
    """The bits of a channel, of a PNG; 8 for the other formats."""
    return data[24] if data.startswith(b"\x89PNG") else 8


def _as_rgb(image: Image.Image, bits: int) -> Image.Image:
    if image.mode.startswith("I"):
        return _from_16_bits(image)
    if image.has_transparency_data:
        _scale_transparent_colour(image, bits)
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _scale_transparent_colour(image: Image.Image, bits: int) -> None:
    """PNG names the transparent colour in the file's own bits, while Pillow has scaled the pixels to 8."""
    named = image.info.get("transparency")
    if image.mode == "L" and isinstance(named, int):
        image.info["transparency"] = min(named, 2**bits - 1) * 255 // (2**bits - 1)
    if image.mode == "RGB" and isinstance(named, tuple) and bits == 16:
        image.info["transparency"] = tuple(value >> 8 for value in named)


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Greys of 0 to 65,535, in strips; Pillow's own conversion clips everything above 255 to white."""
    grey = np.asarray(image)
    transparent = image.info.get("transparency")
    result = np.empty(grey.shape, dtype=np.uint8)
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        strip = grey[top : top + rows].astype(np.int64)
        shown = (strip.clip(0, 65_535) + 128) // 257  # rounded
        result[top : top + rows] = np.where(strip == transparent, 255, shown) if transparent is not None else shown
    return Image.fromarray(result).convert("RGB")


def _too_large() -> BadImage:
    return BadImage(f"The image has more than {MOST_PIXELS // 1_000_000} million pixels; give a smaller one.")
