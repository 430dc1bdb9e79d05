"""Labels that are probably wrong become a review queue, and what reviewers decide enters the next dataset version."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scones_core.domain.review import Status, Strategy
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.services import (
    App,
    capture,
    etl,
    gold,
    label_export,
    label_import,
    label_suspects,
    queue_making,
    queues,
    registration,
    retraining,
    review,
    review_figures,
    review_search,
    reviewers,
    training,
)
from scones_core.services.label_export import ExportFormat
from scones_core.services.review_items import Item
from scones_core.ui.shell.navigation import PageName
from tests.conftest import MadeHome, png
from tests.unit.pages.driving import page_of
from tests.unit.test_ingest import line

KINDS = ("bicycle", "motorcycle")
SWAPPED = {("train", 3), ("train", 9), ("test", 2)}


def shows(key: str) -> str:
    return key.rpartition("/")[2].partition("_")[0]


@pytest.fixture(scope="module")
def mislabelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of which six have the other class's label; each is named by what it shows."""
    folder = tmp_path_factory.mktemp("mislabelled")
    for split, count in (("train", 24), ("test", 10)):
        for kind in KINDS:
            for i in range(count):
                name = kind if (split, i) not in SWAPPED else KINDS[1 - KINDS.index(kind)]
                place = folder / split / name
                place.mkdir(parents=True, exist_ok=True)
                seed = i + 100 * (kind == "motorcycle") + 1000 * (split == "test")
                (place / f"{kind}_{i:02}.png").write_bytes(png(seed, upright=kind == "bicycle"))
    return folder


@pytest.fixture(scope="module")
def checked_home(mislabelled: Path, made_home: MadeHome) -> Path:
    """A home with a trained model and a queue of its suspects."""

    def fill(app: App) -> None:
        etl.load(app, str(mislabelled))
        registration.wait(app, training.start(app).name)
        queue_making.make(app, "Check", Strategy.LABEL_ERRORS, size=10, by="op")

    return made_home("checked", fill)


@pytest.fixture
def checked(checked_home: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    shutil.copytree(checked_home, tmp_path / "home", symlinks=True)
    return open_home()


def items_of(app: App) -> list[Item]:
    [queue] = queues.queues(app)
    return review.next_items(app, "Ann", queue=queue.id, count=10)


def test_suspected_labels_are_a_queue_whose_decisions_enter_the_next_version(checked: App, tmp_path: Path):
    app, version = checked, etl.get(checked)
    [made] = queues.queues(app)
    assert (made.filter["dataset"], made.filter["checked"]) == (version.id, 68)
    items = items_of(app)
    wrong = [one for one in items[:6] if f"({one.image.split('/')[0]})" in one.why and shows(one.image) not in one.why]
    assert len(wrong) >= 5
    assert items[0].why.startswith("Suspected label: ")
    assert capture.image(app, items[0].id) == etl.image(app, items[0].image)

    for one in items:
        review.decide(app, one.id, shows(one.image), "Ann", note="looked", queue=made.id)
    assert queues.progress(app, made.id).decided == len(items)
    assert capture.captured(app) == 0  # no figure of production counts them
    assert review_figures.queue(app).pending == 0
    new = retraining.new_dataset(app, min_labels=0)
    labels = {image.sha256: new.classes[image.class_index] for image in etl.images(app, new.id)}
    before = {image.key: image for image in etl.images(app, version.id)}
    assert {one.image: labels[before[one.image].sha256] for one in items} == {
        one.image: shows(one.image) for one in items
    }
    corrected = {one.image for one in wrong if before[one.image].split == "test"}
    assert {row["key"] for row in new.corrections} == corrected
    assert (new.train, new.test) == (version.train, version.test)
    with pytest.raises(Conflict, match="0 new labels"):
        retraining.new_dataset(app, min_labels=0)

    assert [one.image for one in review_search.find(app, "looked")]  # found, told and exported as other decisions
    with pytest.raises(BadInput, match="Only captured images can be gold"):
        gold.set_gold(app, items[0].id, "bicycle", "op")
    assert review_search.image_history(app, items[0].id).inferences[0].model == "v1"
    [figures] = reviewers.figures(app, "Ann")
    assert figures.decisions == len(items)
    text, rows = label_export.export(app, ExportFormat.MANIFEST)
    assert rows == len(items)
    file = tmp_path / "labels.manifest"
    file.write_text(text)
    assert (found := label_import.import_labels(app, file)).known == len(items), found.refused


def test_a_label_that_a_reviewer_has_confirmed_is_not_doubted_again(checked: App):
    version = etl.get(checked)
    given = {image.key: version.classes[image.class_index] for image in etl.images(checked, version.id)}
    for one in items_of(checked):
        review.decide(checked, one.id, given[one.image], "Ann")
    with pytest.raises(Conflict, match="labels that nobody has confirmed"):
        queue_making.make(checked, "Again", Strategy.LABEL_ERRORS, size=10, by="op")


def test_a_training_image_that_is_no_class_or_unusable_leaves_the_next_version(checked: App):
    app, items = checked, items_of(checked)
    train = [one for one in items if one.image.startswith("train/")][:2]
    test = next(one for one in items if one.image.startswith("test/"))
    for one, answer in zip((*train, test), ("other", "unusable", "unusable"), strict=True):
        assert review.decide(app, one.id, answer, "Ann").status in (Status.RELABELLED, Status.UNUSABLE)
    new = retraining.new_dataset(app, min_labels=0)
    keys = {image.key for image in etl.images(app, new.id)}
    assert not keys & {one.image for one in train}
    assert test.image in keys  # the test set is sealed
    assert new.corrections == ()


def test_without_a_model_of_the_version_nothing_can_be_checked(app: App, mislabelled: Path):
    version = etl.load(app, str(mislabelled))
    assert label_suspects.trained_on(app, version) is None
    with pytest.raises(NotFound, match="train one to check its labels"):
        queue_making.make(app, "Check", Strategy.LABEL_ERRORS, size=10, by="op")


def test_page_data_links_to_the_queue_and_makes_the_version_of_what_was_decided(
    checked: App, show_home: Callable[[Path], None]
):
    show_home(checked.settings.home)
    page, version, [item, *_] = page_of(PageName.DATA), etl.get(checked), items_of(checked)
    assert any(link.label == "Check" for link in page.main.page_link)
    assert page.button(key="apply_labels").disabled
    review.decide(checked, item.id, shows(item.image), "Ann")
    page = page_of(PageName.DATA)
    assert any("1 of " in caption.value and "doubted by v1" in caption.value for caption in page.caption)
    page.button(key="apply_labels").click().run()
    assert not page.exception
    assert etl.get(checked).parent == version.id


def test_a_search_finds_the_newest_of_captured_images_and_dataset_images(checked: App):
    capture.ingest_files(checked, [line("x") + line("y", minute=1)], classes=["bicycle", "motorcycle"])
    newest_first = [found.id for found in review_search.find(checked, "cycle")]
    assert newest_first[-2:] == ["y", "x"]
    assert newest_first[0].startswith("label-")
    assert [found.id for found in review_search.find(checked, "cycle", limit=2)] == newest_first[:2]
