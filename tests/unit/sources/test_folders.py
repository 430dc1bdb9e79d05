"""Folders as sources: `.lst` files, or one folder per class."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from scones_core.errors import BadInput, NotFound
from scones_core.sources import Source, open_source
from tests.unit.sources.pictures import Files, images, picture, pictures_of, taken_and_skipped


def two_wheelers(**changed: bytes | str) -> dict[str, bytes | str]:
    """A small folder with `.lst` files, as the reference project writes it."""
    return {
        "train.lst": "16\t0\tbike_s_000682.png\n30\t0\tcycle_s_002598.png\n31\t1\tmoped_s_000001.png\n",
        "test.lst": "27\t0\tvelocipede_s_001744.png\n28\t1\tmotorcycle_s_000658.png\n",
        "train/bike_s_000682.png": picture(1),
        "train/cycle_s_002598.png": picture(2),
        "train/moped_s_000001.png": picture(3),
        "test/velocipede_s_001744.png": picture(4),
        "test/motorcycle_s_000658.png": picture(5),
    } | changed


def lst(*rows: tuple[int, str]) -> str:
    return "".join(f"{number}\t{index}\t{path}\n" for number, (index, path) in enumerate(rows))


def test_the_reference_projects_folder_has_bicycles_and_motorcycles(opened: Callable[..., Source]) -> None:
    source = opened(two_wheelers())
    assert source.description == "pictures"
    assert source.classes == ("bicycle", "motorcycle")
    assert source.total == 5
    assert [(image.split, image.name, image.label) for image in images(source)] == [
        ("test", "velocipede_s_001744.png", "bicycle"),
        ("test", "motorcycle_s_000658.png", "motorcycle"),
        ("train", "bike_s_000682.png", "bicycle"),
        ("train", "cycle_s_002598.png", "bicycle"),
        ("train", "moped_s_000001.png", "motorcycle"),
    ]


def test_a_png_is_passed_on_byte_for_byte(opened: Callable[..., Source]) -> None:
    transparent = picture(1, mode="RGBA")
    source = opened(two_wheelers(**{"train/bike_s_000682.png": transparent}))
    assert next(image.data for image in images(source) if image.name == "bike_s_000682.png") == transparent


@pytest.mark.parametrize("prefix", ["", "{split}/", "./{split}/", ".//{split}/./"])
def test_paths_of_rows_may_begin_with_the_split(opened: Callable[..., Source], prefix: str) -> None:
    files = two_wheelers()
    for split in ("train", "test"):
        rows = [line.split("\t") for line in str(files[f"{split}.lst"]).splitlines()]
        files[f"{split}.lst"] = "".join(f"{a}\t{b}.000000\t{prefix.format(split=split)}{c}\r\n" for a, b, c in rows)
    assert len(images(opened(files))) == 5


def test_a_folder_around_everything_does_not_matter(opened: Callable[..., Source]) -> None:
    wrapped = {f"download/two wheelers/{name}": content for name, content in two_wheelers().items()}
    assert len(images(opened(wrapped))) == 5


def test_classes_txt_names_the_indexes(opened: Callable[..., Source]) -> None:
    files = two_wheelers(**{"classes.txt": "\ufeffpedal\nengine\n"})
    assert opened(files).classes == ("pedal", "engine")
    assert opened(files, classes=["engine", "Pedal"]).classes == ("engine", "pedal")
    assert {image.label for image in images(opened(files)) if image.name.startswith("moped")} == {"engine"}
    with pytest.raises(BadInput, match="pictures has no class “engines”; did you mean “engine”"):
        opened(files, classes=["pedal", "engines"])


def test_a_class_is_not_found_where_classes_txt_names_none(opened: Callable[..., Source]) -> None:
    with pytest.raises(BadInput, match="pictures has no class “engine”; it names none at all"):
        opened(two_wheelers(**{"classes.txt": "\n"}), classes=["engine", "pedal"])


def test_other_folders_get_the_names_given_or_numbers(opened: Callable[..., Source]) -> None:
    files = {
        "train.lst": lst((0, "a.png"), (1, "b.png")),
        "test.lst": lst((0, "c.png"), (1, "d.png")),
        **{f"train/{name}.png": picture(number) for number, name in enumerate("ab")},
        **{f"test/{name}.png": picture(number) for number, name in enumerate("cd", start=2)},
    }
    assert opened(files).classes == ("class 0", "class 1")
    assert opened(files, classes=["scone", "bun"]).classes == ("scone", "bun")
    assert [image.label for image in images(opened(files, classes=["scone", "bun"]))] == ["scone", "bun"] * 2


def test_rows_and_pictures_that_do_not_fit_are_skipped_with_a_reason(opened: Callable[..., Source]) -> None:
    files = two_wheelers(
        **{
            "train.lst": str(two_wheelers()["train.lst"])
            + "90\t7\tfar.png\n91\t-1\tfar.png\n92\t0\tgone.png\n93\t0\t../../../etc/passwd\n"
            + "nonsense\n94\tx\tfar.png\n95\t1\tbike_s_000682.png\n",
            "train/far.png": picture(8),
            "train/unlisted.png": picture(9),
            "train/bike_s_000682.png": b"no picture",
        }
    )
    taken, skipped = taken_and_skipped(opened(files))
    assert len(taken) == 4
    assert {(skip.name, skip.reason) for skip in skipped if skip.name != "train/bike_s_000682.png"} == {
        ("train/far.png", "train.lst row 4 gives it class 7, and there are classes 0 to 1 only"),
        ("train.lst row 5", "train/far.png is listed already, in train.lst row 4"),
        ("gone.png", "train.lst row 6 names it, and there is no such file"),
        ("../../../etc/passwd", "train.lst row 7 names it, and there is no such file"),
        ("train.lst row 8", "it is not a row number, a class index and a path, separated by tabs"),
        ("train.lst row 9", "it is not a row number, a class index and a path, separated by tabs"),
        ("train.lst row 10", "train/bike_s_000682.png is listed already, in train.lst row 1"),
        ("train/unlisted.png", "train.lst has no row for it"),
    }
    assert [skip.name for skip in skipped].count("train/bike_s_000682.png") == 1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train.lst": "", "test.lst": ""}, "have no row that names a picture"),
        ({"train.lst": "0\t0\ta.png\n"}, "has no test.lst; add one"),
        ({"train.lst": b"\xff\xfe\x00", "test.lst": ""}, "train.lst of pictures cannot be read as UTF-8"),
        ({"notes.txt": "hello"}, "has neither .lst files nor one folder of pictures per class"),
        ({"a.png": picture(1), "b.png": picture(2)}, "has neither .lst files nor one folder of pictures per class"),
        ({"cat/a.png": picture(1), "cat/b.png": picture(2)}, "at least 2 classes, and there is only “cat”"),
        ({f"class{n}/a.png": picture(n) for n in range(21)}, "21 classes are too many; choose 2 to 20"),
        ({"cat/a.png": b"", "dog/a.png": b""}, "pictures has no usable image"),
        ({"cat/a.png": picture(1), "dog/a.png": picture(2)}, "no usable train image of the class “cat”; add some"),
        ({"a\nb/a.png": picture(1), "dog/a.png": picture(2)}, "cannot be the name of a class"),
    ],
)
def test_a_folder_that_cannot_be_used_gets_one_sentence(
    opened: Callable[..., Source], files: Files, message: str
) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        list(opened(files).items)
    assert "/" not in str(refused.value)


def test_a_name_that_is_no_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file or folder “.*cifar10”; give cifar100, sample or a path"):
        open_source("cifar10", cache=tmp_path)


@pytest.mark.parametrize("name", ["", "x" * 5000, "~nobody-of-this-name/x", "a\0b"])
def test_a_name_that_cannot_be_a_file_is_not_found_either(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        open_source(name, cache=tmp_path)


def test_a_file_that_is_no_archive_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(picture(1))
    with pytest.raises(BadInput, match=r"^photo\.png is neither a CIFAR-100 archive nor a zip nor a label file"):
        open_source(str(tmp_path / "photo.png"), cache=tmp_path)


def test_jpeg_and_webp_are_passed_on_as_png_and_large_pictures_made_smaller(opened: Callable[..., Source]) -> None:
    files = pictures_of("ab", 3) | {
        "a/photo.JPG": picture(50, format="JPEG", side=64),
        "b/photo.webp": picture(51, format="WEBP"),
        "b/poster.png": picture(52, side=1200),
    }
    sizes = {}
    for image in images(opened(files)):
        with Image.open(io.BytesIO(image.data), formats=("PNG",)) as readable:
            sizes[image.name] = readable.size
    assert sizes["photo.png"] == (64, 64) or sizes["photo-2.png"] == (64, 64)
    assert sizes["poster.png"] == (512, 512)


def test_unreadable_pictures_are_skipped_by_name_and_the_rest_is_taken(opened: Callable[..., Source]) -> None:
    files = pictures_of("ab", 4) | {
        "a/cut.png": picture(60)[:80],
        "a/empty.jpg": b"",
        "b/page.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "b/moving.gif": picture(61, format="GIF"),
        "a/bitmap.png": picture(62, format="BMP"),
    }
    taken, skipped = taken_and_skipped(opened(files))
    assert len(taken) == 8
    assert sorted(skip.name for skip in skipped) == [
        "a/bitmap.png",
        "a/cut.png",
        "a/empty.jpg",
        "b/moving.gif",
        "b/page.png",
    ]
    assert all(skip.reason for skip in skipped)


def test_what_systems_leave_in_folders_is_ignored_silently(opened: Callable[..., Source]) -> None:
    litter: Files = {"a/._001.png": b"x", ".git/x.png": b"x", "__MACOSX/a/001.png": b"x", "a/Thumbs.db": b"x"}
    _taken, skipped = taken_and_skipped(opened(pictures_of("ab", 3) | litter))
    assert skipped == []


def test_only_the_chosen_classes_are_taken_in_the_order_given(opened: Callable[..., Source]) -> None:
    source = opened(pictures_of("abc", 4), classes=["c", "A"])
    taken, skipped = taken_and_skipped(source)
    assert source.classes == ("c", "a")
    assert {image.label for image in taken} == {"a", "c"}
    assert skipped == []


def test_pipes_and_linked_folders_are_not_read(opened: Callable[..., Source], tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.png").write_bytes(picture(70))
    folder = tmp_path / "pictures" / "a"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pipe.png")
    (folder / "linked").symlink_to(outside)
    assert opened(pictures_of("ab", 3)).total == 6


def test_more_images_than_allowed_are_refused_at_once(opened: Callable[..., Source]) -> None:
    with pytest.raises(BadInput, match="pictures has 8 images of the chosen classes; the most is 7"):
        opened(pictures_of("ab", 4), max_images=7)


def test_progress_ends_at_the_total(opened: Callable[..., Source]) -> None:
    steps: list[tuple[int, int | None, str]] = []
    images(opened(pictures_of("ab", 4), on_progress=lambda *step: steps.append(step)))
    assert steps[0] == (0, 8, "Dividing the images")
    assert steps[-1] == (8, 8, "Reading images")


@pytest.mark.parametrize("path", ["/does/not/exist", "~nobody-of-this-name/x", "a" * 5000])
def test_a_path_that_leads_nowhere_is_told_as_it_was_given(path: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=f"“{path[:20]}"):
        open_source(path, cache=tmp_path)


def test_a_device_or_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", str(tmp_path / "pipe")):
        with pytest.raises(BadInput, match="is a device or a pipe"):
            open_source(path, cache=tmp_path)


def test_a_path_that_is_no_text_is_shown_as_well_as_can_be(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/dir\xff\n"))
    for name, content in pictures_of("ab", 3).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    assert open_source(str(folder), cache=tmp_path).description == "dir��"
    with pytest.raises(BadInput, match="^dir�� has no class “c”"):
        open_source(str(folder), cache=tmp_path, classes=["a", "c"])


def test_lists_whose_names_are_no_text_are_shown_as_well_as_can_be(opened: Callable[..., Source]) -> None:
    odd = os.fsdecode(b"\xff\xfe_train.lst")
    files = two_wheelers()
    files[odd] = f"{files.pop('train.lst')}nonsense\n"
    _taken, skipped = taken_and_skipped(opened(files))
    assert [skip.name for skip in skipped] == ["��_train.lst row 4"]
