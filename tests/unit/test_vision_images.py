"""Whatever a person uploads becomes upright RGB pixels, or one clear sentence."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from scones_core.errors import BadImage
from scones_core.vision.images import decode, pixels


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def plain(color: str = "red", size: tuple[int, int] = (40, 20), mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, color)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_supported_formats_are_read(format: str):
    image = decode(encoded(plain(), format))
    assert (image.mode, image.size) == ("RGB", (40, 20))
    assert np.abs(np.asarray(image)[10, 20].astype(int) - [255, 0, 0]).max() < 5


def test_any_size_becomes_the_models_side():
    assert pixels(encoded(plain(size=(301, 77)))).shape == (32, 32, 3)
    assert pixels(encoded(plain(size=(1, 1))), side=24).shape == (24, 24, 3)


def test_an_image_of_the_right_size_keeps_every_pixel():
    values = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(pixels(encoded(Image.fromarray(values))), values)


def test_opaque_rgba_keeps_its_colours_and_transparent_parts_become_white():
    opaque = np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    opaque[..., 3] = 255
    assert np.array_equal(np.asarray(decode(encoded(Image.fromarray(opaque)))), opaque[..., :3])
    assert decode(encoded(plain((0, 0, 0, 0), mode="RGBA"))).getpixel((0, 0)) == (255, 255, 255)


def test_a_palette_with_transparency_becomes_white_there():
    image = plain("black").quantize(4)
    assert decode(encoded(image, transparency=image.getpixel((0, 0)))).getpixel((0, 0)) == (255, 255, 255)


def test_16_bit_greys_are_rescaled_and_not_clipped():
    values = np.array([[0, 257 * 64, 257 * 128, 65535]], dtype=np.uint16)
    assert np.asarray(decode(encoded(Image.fromarray(values))))[0, :, 1].tolist() == [0, 64, 128, 255]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK"])
def test_other_colour_modes_are_converted(mode: str):
    format = "JPEG" if mode == "CMYK" else "PNG"
    assert decode(encoded(plain("white").convert(mode), format)).getpixel((0, 0)) == (255, 255, 255)


def test_a_photograph_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    assert decode(encoded(plain(size=(40, 20)), "JPEG", exif=exif)).size == (20, 40)


def test_an_animation_shows_its_first_frame():
    frames = [plain("red"), plain("blue")]
    for format in ("PNG", "WEBP"):
        data = encoded(frames[0], format, save_all=True, append_images=frames[1:], lossless=True)
        assert decode(data).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an image",
        encoded(plain(), "GIF"),
        encoded(plain(), "BMP"),
        encoded(plain(), "TIFF"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=["empty", "text", "gif", "bmp", "tiff", "svg"],
)
def test_other_files_are_refused_in_one_sentence(data: bytes):
    with pytest.raises(BadImage, match=r"PNG, JPEG or WebP"):
        decode(data)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_truncated_and_garbled_files_are_refused(format: str):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), format)
    for length in (len(data) // 2, len(data) // 4, 40, 20, 9):
        with pytest.raises(BadImage):
            decode(data[:length])


def test_no_garbled_file_raises_anything_else():
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    for format in ("PNG", "JPEG", "WEBP"):
        for _ in range(100):
            data = bytearray(encoded(noise, format))
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
            with contextlib.suppress(BadImage):
                decode(bytes(data))


def test_a_decompression_bomb_is_refused_before_it_is_unpacked():
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    for side in (8_000, 12_000, 50_000):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
        with pytest.raises(BadImage, match="million pixels"):
            decode(bomb)
