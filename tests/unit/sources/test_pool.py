"""The pool: images set aside from training, to be sent through the workflow, reviewed and then trained on."""

import pickle
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scones_core.errors import BadInput
from scones_core.sources import Skipped, Source, SourceImage, open_source
from tests.unit.sources.cifar_files import BICYCLE, MOTORCYCLE, cifar_members, rows, write_archive
from tests.unit.sources.pictures import images, picture


def class_folders(folder: str, count: int, *, start: int = 0) -> dict[str, bytes]:
    return {
        f"{folder}{label}/{number:03}.png": picture(start + 1000 * kind + number)
        for kind, label in enumerate(("bun", "scone"))
        for number in range(count)
    }


def in_splits(train: int, test: int, pool: int = 0) -> dict[str, bytes]:
    return (
        class_folders("train/", train)
        | class_folders("test/", test, start=10_000)
        | class_folders("pool/", pool, start=20_000)
    )


def counted(source: Source) -> Counter[tuple[str, str]]:
    return Counter((image.split, image.label) for image in images(source))


def per_class(**counts: int) -> dict[tuple[str, str], int]:
    return {(split, label): count for split, count in counts.items() for label in ("bun", "scone") if count}


@pytest.mark.parametrize("count", [1, 2, 5, 7, 12, 33])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.2, 0.5, 0.9])
def test_exactly_the_share_of_each_class_is_set_aside_and_one_image_is_always_left(
    opened: Callable[..., Source], count: int, share: float
) -> None:
    pool = min(round(share * count), count - 1)
    source = opened(in_splits(count, 2), pool_share=share)
    assert counted(source) == per_class(train=count - pool, pool=pool, test=2)


def test_images_come_test_first_then_pool_then_train(opened: Callable[..., Source]) -> None:
    splits = [image.split for image in images(opened(in_splits(10, 2), pool_share=0.3))]
    assert splits == ["test"] * 4 + ["pool"] * 6 + ["train"] * 14


def test_the_choice_depends_on_the_contents_and_not_on_names_or_order(
    opened: Callable[..., Source], tmp_path: Path
) -> None:
    def pool(source: Source) -> set[bytes]:
        return {image.data for image in images(source) if image.split == "pool"}

    files = in_splits(20, 2)
    chosen = pool(opened(files, pool_share=0.25))
    order = list(files.items())
    random.Random(0).shuffle(order)
    train = [(name, content) for name, content in order if name.startswith("train/")]
    test = [(name, content) for name, content in order if name.startswith("test/")]
    other = tmp_path / "other"
    for split, rows_ in (("train", train), ("test", test)):
        lines = []
        for number, (name, content) in enumerate(rows_):
            path = other / split / f"renamed_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            lines.append(f"{number}\t{int('scone' in name)}\t{path.name}\n")
        (other / f"{split}.lst").write_text("".join(lines))
    assert len(chosen) == 10
    assert pool(open_source(str(other), cache=tmp_path / "cache", pool_share=0.25)) == chosen


def test_images_of_ones_own_have_no_pool_unless_it_is_asked_for(opened: Callable[..., Source]) -> None:
    files = in_splits(10, 2)
    assert counted(opened(files)) == per_class(train=10, test=2)
    assert counted(opened(files, pool_share=0.3)) == per_class(train=7, pool=3, test=2)


def test_all_but_a_base_of_each_class_become_pool(opened: Callable[..., Source]) -> None:
    assert counted(opened(in_splits(10, 2), base=3)) == per_class(train=3, pool=7, test=2)
    assert counted(opened(in_splits(10, 2), base=8)) == per_class(train=5, pool=5, test=2)
    assert counted(opened(in_splits(10, 2, pool=4), base=3)) == per_class(train=3, pool=11, test=2)


def test_a_source_may_bring_its_own_pool_in_folders(opened: Callable[..., Source]) -> None:
    files = in_splits(10, 2, pool=4)
    assert counted(opened(files)) == per_class(train=10, test=2, pool=4)
    assert counted(opened(files, pool_share=0.3)) == per_class(train=7, test=2, pool=7)


def test_a_pool_beside_images_without_a_test_split_stays_the_pool(opened: Callable[..., Source]) -> None:
    found = counted(opened(class_folders("train/", 40) | class_folders("pool/", 5, start=20_000)))
    assert {key: n for key, n in found.items() if key[0] == "pool"} == per_class(pool=5)
    assert {split for split, _label in found} == {"train", "test", "pool"}


def lst_files(**splits: int) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for number, (split, count) in enumerate(splits.items()):
        names = [f"{n}.png" for n in range(2 * count)]
        files[f"{split}.lst"] = "".join(f"{n}\t{n % 2}\t{name}\n" for n, name in enumerate(names)).encode()
        files |= {f"{split}/{name}": picture(1000 * number + n) for n, name in enumerate(names)}
    return files | {"classes.txt": b"bun\nscone\n"}


def test_a_source_may_bring_its_own_pool_in_a_lst_file(opened: Callable[..., Source]) -> None:
    files = lst_files(train=10, test=2, pool=4)
    assert counted(opened(files)) == per_class(train=10, test=2, pool=4)
    assert counted(opened(files, pool_share=0.1)) == per_class(train=9, test=2, pool=5)


def test_no_class_needs_a_picture_in_the_pool_but_each_one_in_train_and_test(opened: Callable[..., Source]) -> None:
    files = in_splits(3, 2)
    only_one = files | {"pool/bun/x.png": picture(30_000)}
    assert counted(opened(only_one)) == per_class(train=3, test=2) | {("pool", "bun"): 1}
    with pytest.raises(BadInput, match="no usable train image of the class “tart”"):
        counted(opened(only_one | {"pool/tart/x.png": picture(30_001), "test/tart/y.png": picture(30_002)}))


def test_a_picture_in_two_splits_is_kept_in_the_first_of_test_pool_and_train(opened: Callable[..., Source]) -> None:
    files = in_splits(3, 2, pool=2) | {
        "pool/bun/leak.png": picture(10_000),
        "train/bun/leak.png": picture(10_000),
        "train/bun/again.png": picture(20_000),
    }
    items = list(opened(files).items)
    assert sorted((item.name, item.reason) for item in items if isinstance(item, Skipped)) == [
        ("pool/bun/leak.png", "the same picture is in the test split (test/bun/000.png) and is kept there"),
        ("train/bun/again.png", "the same picture is in the pool split (pool/bun/000.png) and is kept there"),
        ("train/bun/leak.png", "the same picture is in the test split (test/bun/000.png) and is kept there"),
    ]


def test_copies_of_a_picture_never_stand_in_pool_and_train(opened: Callable[..., Source]) -> None:
    files = in_splits(10, 2)
    copies = {name.replace(".png", "_copy.png"): content for name, content in files.items() if "train" in name}
    for share in (0.1, 0.25, 0.45):
        found = images(opened(files | copies, pool_share=share))
        pool, train = ({image.data for image in found if image.split == split} for split in ("pool", "train"))
        assert pool
        assert not pool & train


@pytest.mark.parametrize("share", [-0.01, 0.91, 1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("spec", ["sample", "cifar100", "nowhere"])
def test_a_share_beyond_nine_tenths_is_refused(tmp_path: Path, share: float, spec: str) -> None:
    with pytest.raises(BadInput, match=r"^The share of images set aside as pool must be between 0 and 0\.9, and it is"):
        open_source(spec, cache=tmp_path, pool_share=share)


def test_a_fifth_of_cifar100_is_the_pool(tmp_path: Path) -> None:
    train = rows([BICYCLE, MOTORCYCLE] * 10, seed=1)
    archive = write_archive(tmp_path / "c.tar.gz", cifar_members(train=pickle.dumps(train)))

    def split_counts(**options: Any) -> Counter[tuple[str, str]]:
        return counted(open_source(str(archive), cache=tmp_path, **options))

    for label in ("bicycle", "motorcycle"):
        found = split_counts()
        assert (found["train", label], found["pool", label], found["test", label]) == (8, 2, 1)
        assert split_counts(pool_share=0)["train", label] == 10


def test_a_fifth_of_the_sample_is_the_pool_and_its_pictures_stay_what_they_were(tmp_path: Path) -> None:
    def drawn(**options: Any) -> list[SourceImage]:
        return images(open_source("sample", cache=tmp_path, **options))

    found, without = drawn(), drawn(pool_share=0)
    assert Counter((image.split, image.label) for image in found) == {
        (split, label): count
        for split, count in (("test", 50), ("pool", 40), ("train", 160))
        for label in ("bicycle", "motorcycle")
    }
    assert {(image.name, image.data) for image in found} == {(image.name, image.data) for image in without}
    assert [image.split for image in found] == ["test"] * 100 + ["pool"] * 80 + ["train"] * 320
