"""Whatever a person uploads becomes upright RGB pixels, or one clear sentence."""

import contextlib
import io
import struct
import tracemalloc
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scones_core.errors import BadImage
from scones_core.vision.images import FORMATS, decode, pixels


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
    for side in (8_000, 12_000, 50_000):
        bomb = written_png(8, 2, bytes(1000), (), (side, side))
        with pytest.raises(BadImage, match="million pixels"):
            decode(bomb)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def written_png(bits: int, colour: int, pixels: bytes, transparent: tuple[int, ...], size: tuple[int, int]) -> bytes:
    """A PNG of one row per `size[1]`, written by hand, as Pillow writes few of the kinds that there are."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, 0))
    named = chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent)) if transparent else b""
    return b"\x89PNG\r\n\x1a\n" + header + named + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("bits", "row", "grey", "shown"),
    [(2, b"\x10", 1, 85), (4, b"\x05", 5, 85), (8, b"\x00\x64", 100, 100), (16, b"\x00\x00\x30\x39", 0x3039, 48)],
)
def test_a_transparent_grey_of_any_depth_becomes_white_and_the_other_stays(
    bits: int, row: bytes, grey: int, shown: int
):
    for transparent, expected in ((0, [255, shown]), (grey, [0, 255]), (2**bits - 1, [0, shown])):
        image = decode(written_png(bits, 0, b"\0" + row, (transparent,), (2, 1)))
        assert [image.getpixel((x, 0)) for x in (0, 1)] == [(value,) * 3 for value in expected]


@pytest.mark.parametrize("bits", [8, 16])
def test_a_transparent_colour_of_either_depth_becomes_white(bits: int):
    colour = (10, 20, 30) if bits == 8 else (0x0A4D, 0x144D, 0x1E4D)
    pixels = struct.pack(">6B" if bits == 8 else ">6H", 0, 0, 0, *colour)
    image = decode(written_png(bits, 2, b"\0" + pixels, colour, (2, 1)))
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0), (255, 255, 255)]


def test_a_large_16_bit_grey_is_rescaled_strip_by_strip():
    tracemalloc.start()
    try:
        values = np.arange(2_500 * 1_000, dtype=np.uint32).reshape(2_500, 1_000) % 65_536
        data = encoded(Image.fromarray(values.astype(np.uint16)))
        del values
        tracemalloc.reset_peak()
        image = decode(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert image.getpixel((500, 1_800)) == (round((1_800 * 1_000 + 500) % 65_536 / 257),) * 3
    assert peak < 20 * 2_500_000, "twenty bytes a pixel"


def tiff(entries: list[tuple[int, int, int, bytes]], order: str = "<") -> bytes:
    """EXIF with one directory. Entries: tag, type, count, four bytes of value or offset."""
    directory = struct.pack(f"{order}H", len(entries))
    directory += b"".join(struct.pack(f"{order}HHI", *entry[:3]) + entry[3] for entry in entries)
    start = b"II*\0\x08\0\0\0" if order == "<" else b"MM\0*\0\0\0\x08"
    return b"Exif\0\0" + start + directory + bytes(4) + struct.pack(f"{order}iiII", -1, -7, 0, 0)


TURNED = (0x0112, 3, 1, struct.pack("<HH", 6, 0))
AFTER_TWO = struct.pack("<I", 8 + 2 + 2 * 12 + 4)  # where what follows a directory of two entries lies

ODD_EXIF = {
    "a negative resolution": tiff([TURNED, (0x011A, 10, 1, AFTER_TWO)]),
    "a resolution that says nothing": tiff([TURNED, (0x011A, 5, 1, struct.pack("<I", 8 + 2 + 2 * 12 + 12))]),
    "a number where text belongs": tiff([TURNED, (0x010F, 3, 1, b"\x05\0\0\0")]),
    "text where a number belongs": tiff([TURNED, (0x0128, 2, 4, b"inch")]),
    "a negative offset": tiff([TURNED, (0x8769, 9, 1, struct.pack("<i", -1))]),
    "a directory that holds itself": tiff([TURNED, (0x8769, 4, 1, struct.pack("<I", 8))]),
    "an offset beyond the end": tiff([TURNED, (0x011A, 5, 1, struct.pack("<I", 99_999))]),
    "an unknown type": tiff([TURNED, (0x010F, 77, 1, bytes(4))]),
    "a huge count": tiff([TURNED, (0x010F, 2, 2**32 - 1, bytes(4))]),
}
UNREADABLE_EXIF = {
    "no directory": b"Exif\0\0II*\0",
    "no TIFF": b"Exif\0\0hello, world",
    "a directory beyond the end": b"Exif\0\0II*\0\xff\xff\xff\xff",
    "an orientation as text": tiff([(0x0112, 2, 4, b"left")]),
    "an orientation without value": tiff([(0x0112, 3, 0, bytes(4))]),
    "an orientation of 77": tiff([(0x0112, 3, 1, struct.pack("<HH", 77, 0))]),
    "an orientation of 1/0": tiff([(0x0112, 5, 1, struct.pack("<I", 8 + 2 + 12 + 4))]),
}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("exif", ODD_EXIF.values(), ids=ODD_EXIF.keys())
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_photograph_is_turned_upright_whatever_else_its_camera_wrote(exif: bytes, format: str):
    assert decode(encoded(plain(size=(40, 20)), format, exif=exif)).size == (20, 40)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("exif", UNREADABLE_EXIF.values(), ids=UNREADABLE_EXIF.keys())
def test_a_photograph_is_shown_as_stored_where_its_orientation_cannot_be_read(exif: bytes):
    assert decode(encoded(plain(size=(40, 20)), "JPEG", exif=exif)).size == (40, 20)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(st.binary(max_size=200), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_whatever_bytes_stand_as_exif_the_picture_is_read_or_refused(exif: bytes, format: str):
    with contextlib.suppress(BadImage):
        assert sorted(decode(encoded(plain(size=(40, 20)), format, exif=b"Exif\0\0" + exif)).size) == [20, 40]


BEGINNINGS = [b"", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 "]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(st.sampled_from([*BEGINNINGS, *(encoded(plain(), form)[:100] for form in FORMATS)]), st.binary(max_size=300))
def test_arbitrary_bytes_are_a_picture_or_refused(beginning: bytes, rest: bytes):
    with contextlib.suppress(BadImage):
        assert decode(beginning + rest).mode == "RGB"


def test_threads_that_decode_side_by_side_leave_the_warning_filters_alone():
    data = encoded(plain(), "PNG")
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(decode, [data] * 400))
    assert list(warnings.filters) == before
