"""Every captured inference knows which model made it, and is named in that model's classes for good."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scones_core.domain.attribution import Attribution, Serving, attributed, served_at
from scones_core.domain.drift import DriftLevel
from scones_core.domain.models import CHAMPION_VARIANT, TRIAL_VARIANT, Action, Deployment
from scones_core.errors import BadInput
from scones_core.services import (
    App,
    capture,
    classification,
    deployment,
    etl,
    label_export,
    monitoring,
    registration,
    review,
    training,
)
from scones_core.services.label_export import ExportFormat
from tests.conftest import MadeHome, write_images
from tests.unit.test_ingest import line

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNSEEN = timedelta(hours=1)


def change(minute: int, model: int, action: Action = Action.DEPLOY, *, lasts: int | None = 5, done: bool = True):
    time = NOON + timedelta(minutes=minute)
    ended = None if lasts is None else time + timedelta(minutes=lasts)
    return Deployment(0, time, "e", model, action, "", done=done, ended=ended)


def served(changes: list[Deployment], minute: float, variant: str = CHAMPION_VARIANT) -> set[int]:
    return set(served_at(changes, variant, NOON + timedelta(minutes=minute), UNSEEN))


def test_before_the_first_deployment_nothing_is_known():
    assert served([change(0, 1)], -1) == set()
    assert attributed(set()) == (Attribution.UNKNOWN, None)


def test_what_was_captured_while_the_endpoint_was_updated_is_undecided():
    changes = [change(0, 1), change(30, 2)]
    assert [served(changes, minute) for minute in (2, 20, 32, 40)] == [{1}, {1}, {1, 2}, {2}]
    assert attributed({1, 2}) == (Attribution.UNDECIDED, None)


def test_an_update_that_failed_leaves_its_own_time_undecided_and_no_more():
    changes = [change(0, 1), change(30, 2, done=False)]
    assert [served(changes, minute) for minute in (20, 32, 40)] == [{1}, {1, 2}, {1}]


def test_an_update_whose_end_is_not_seen_yet_is_undecided_from_its_beginning_on():
    assert served([change(0, 1), change(30, 2, lasts=None)], 300) == {1, 2}


def test_an_end_that_was_never_noted_is_undecided_for_as_long_as_it_may_have_taken():
    changes = [change(0, 1, lasts=0), change(180, 2, lasts=0)]
    assert [served(changes, minute) for minute in (100, 200, 300)] == [{1}, {1, 2}, {2}]


def test_captures_give_whole_seconds_so_one_of_the_second_of_a_change_is_undecided():
    changes = [change(0, 1), change(30, 2)]
    assert [served(changes, 30 - seconds / 60) for seconds in (2, 1, 0.5)] == [{1}, {1}, {1, 2}]
    assert [served(changes, 35 + seconds / 60) for seconds in (0, 1)] == [{1, 2}, {2}]
    assert attributed({2}) == (Attribution.MODEL, 2)


def test_a_trials_variant_is_its_models_alone_and_leaves_the_champions_as_it_is():
    changes = [change(0, 1), change(30, 2, Action.START_TRIAL), change(60, 2, Action.END_TRIAL)]
    assert [served(changes, minute, TRIAL_VARIANT) for minute in (20, 40, 70)] == [set(), {2}, set()]
    assert served(changes, 40) == {1}


def test_another_share_or_a_trial_changes_nothing_of_what_the_champion_is():
    changes = [change(0, 1), change(30, 2, Action.START_TRIAL), change(60, 2, Action.CHANGE_SHARE)]
    assert (served(changes, 62, TRIAL_VARIANT), served(changes, 62)) == ({2}, {1})
    promoted = [*changes, change(90, 2, Action.PROMOTE)]
    assert (served(promoted, 100, TRIAL_VARIANT), served(promoted, 100)) == (set(), {2})


def test_after_a_deletion_nobody_serves():
    assert served([change(0, 1), change(30, 1, Action.DELETE)], 50) == set()


CHANGES = st.builds(
    change,
    st.integers(0, 6),
    st.integers(1, 3),
    st.sampled_from(Action),
    lasts=st.none() | st.integers(0, 3),
    done=st.booleans(),
)


@given(
    st.lists(CHANGES, max_size=5),
    st.sampled_from([CHAMPION_VARIANT, TRIAL_VARIANT]),
    st.lists(st.integers(-5, 15 * 60), min_size=1, max_size=9),
)
def test_what_is_remembered_between_two_changes_is_what_a_look_at_each_time_gives(
    changes: list[Deployment], variant: str, seconds: list[int]
):
    ordered, short = sorted(changes, key=lambda one: one.time), timedelta(minutes=4)
    serving = Serving(ordered, variant, short)
    around = {one.time + timedelta(seconds=s) for one in ordered for s in (-2, -1, 0, 1)}
    around |= {one.ended + timedelta(seconds=s) for one in ordered if one.ended for s in (-1, 0, 1)}
    for time in [*around, *(NOON + timedelta(seconds=second) for second in seconds)]:
        assert serving.at(time) == served_at(ordered, variant, time, short)


def renamed(images: Path, folder: Path, names: dict[str, str]) -> Path:
    """The same images under other classes."""
    for split in ("train", "test"):
        for old, new in names.items():
            shutil.copytree(images / split / old, folder / split / new)
    return folder


def serve(app: App, source: Path, classes: list[str] | None = None) -> str:
    """Load, train, deploy; the new model's id."""
    etl.load(app, str(source), classes=classes)
    registration.wait(app, training.start(app).name)
    return deployment.deploy(app).config.model


@pytest.fixture
def seen(serving: App) -> App:
    """Ten inferences of v1, which knows bicycle and motorcycle, are captured."""
    classification.classify(serving, classification.sample_keys(serving, 10, seed=0))
    capture.ingest(serving)
    return serving


@pytest.fixture(scope="module")
def refitted_home(trained_home: Path, made_home: MadeHome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten inferences of v1, one of them labelled motorcycle; then v2, of the same images under other names, serves."""

    def fill(app: App) -> None:
        classification.classify(app, classification.sample_keys(app, 10, seed=0))
        capture.ingest(app)
        review.decide(app, review.next_items(app, "ann")[0].id, "motorcycle", "ann")
        folder = tmp_path_factory.mktemp("refitted")
        images = write_images(folder / "images")
        serve(app, renamed(images, folder / "fruit", {"bicycle": "apple", "motorcycle": "bus"}))

    return made_home("refitted", fill, trained_home)


@pytest.fixture
def refitted(refitted_home: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    shutil.copytree(refitted_home, tmp_path / "home", symlinks=True)
    return open_home()


def test_another_models_classes_never_rename_what_was_captured_before(refitted: App):
    classification.classify(refitted, classification.sample_keys(refitted, 4, seed=0))
    capture.ingest(refitted)
    names = {"v1": {"bicycle", "motorcycle"}, "v2": {"apple", "bus"}}
    for model, known in names.items():
        assert {row["class"] for row in monitoring.figures(refitted, model=model).by_class} <= known
        for item in review.next_items(refitted, "ann", count=20, model=model):
            assert item.model == model
            assert set(item.probabilities) == set(item.classes) == known
    assert {maker.name: maker.inferences for maker in capture.makers(refitted)} == {"v2": 4, "v1": 10}


def test_executions_are_named_by_the_model_that_served_while_they_ran(refitted: App):
    before = classification.executions(refitted)
    assert len(before) == 10
    assert {classification.classified(refitted, one).prediction for one in before} <= {"bicycle", "motorcycle"}


def test_the_same_classes_in_another_order_swap_nothing(seen: App, images: Path):
    before = monitoring.figures(seen).by_class
    predictions = {item.id: item.prediction for item in review.next_items(seen, "ann", count=20)}
    serve(seen, images, ["motorcycle", "bicycle"])
    assert monitoring.figures(seen).by_class == before
    assert {item.id: item.prediction for item in review.next_items(seen, "ann", count=20)} == predictions


@pytest.mark.parametrize("format", ExportFormat)
def test_exports_name_each_answer_in_its_own_models_classes(refitted: App, format: ExportFormat):
    text, rows = label_export.export(refitted, format)
    [reviewed] = review.reviewed(refitted)
    assert rows == 1
    if format is ExportFormat.MANIFEST:
        label = json.loads(text)
        assert (label["label"], label["label-metadata"]["class-name"]) == (1, "motorcycle")
    elif format is ExportFormat.CSV:
        [row] = csv.DictReader(io.StringIO(text))
        assert (row["prediction"], row["label"], row["model"]) == (reviewed["prediction"], "motorcycle", "v1")
    else:
        [task] = json.loads(text)
        assert task["predictions"][0]["result"][0]["value"]["choices"] == [reviewed["prediction"]]
    assert reviewed["prediction"] in {"bicycle", "motorcycle"}


def test_a_class_may_be_called_other_and_none_of_the_classes_stays_another_answer(
    serving: App, images: Path, tmp_path: Path
):
    serve(serving, renamed(images, tmp_path / "other", {"bicycle": "bicycle", "motorcycle": "other"}))
    classification.classify(serving, classification.sample_keys(serving, 4, seed=0))
    capture.ingest(serving)
    first, second = review.next_items(serving, "ann", count=2)
    review.decide(serving, first.id, "other", "ann")
    review.decide(serving, second.id, "/other", "ann")
    labels = {row["id"]: row["label"] for row in review.reviewed(serving)}
    assert labels == {first.id: "other", second.id: "/other"}
    rows = [json.loads(row) for row in label_export.export(serving, ExportFormat.MANIFEST)[0].splitlines()]
    assert sorted("label" in row for row in rows) == [False, True]


def test_a_promotion_without_traffic_raises_no_drift(serving: App):
    classification.classify(serving, classification.sample_keys(serving, 24, seed=0))
    capture.ingest(serving)
    assert monitoring.figures(serving).drift.recent == 24
    registration.wait(serving, training.start(serving, seed=1).name)
    deployment.promote(serving)
    drift = monitoring.figures(serving).drift
    assert (drift.level, drift.recent) == (DriftLevel.UNKNOWN, 0)


def test_imported_captures_are_no_ground_for_drift(serving: App):
    lines = b"".join(line(f"x{n}", 0.51, minute=n) for n in range(40))
    capture.ingest_files(serving, [lines], classes=["bicycle", "motorcycle"], endpoint=serving.settings.endpoint)
    assert monitoring.figures(serving).drift.recent == 0


def test_imported_captures_without_class_names_ask_for_them(serving: App):
    found = capture.ingest_files(serving, [line("x", 0.8)])
    assert found.unnamed == 1
    assert [row["class"] for row in monitoring.figures(serving).by_class] == ["class 0"]
    with pytest.raises(BadInput, match="3 probabilities"):
        capture.name_classes(serving, ["car", "van", "bus"])
    assert capture.name_classes(serving, ["car", "van"]) == 1
    assert [row["class"] for row in monitoring.figures(serving).by_class] == ["car"]


def test_reading_files_again_with_class_names_names_what_was_imported(serving: App):
    capture.ingest_files(serving, [line("x", 0.8)])
    again = capture.ingest_files(serving, [line("x", 0.8)], classes=["car", "van"], endpoint="theirs")
    assert (again.new, again.duplicates, again.unnamed) == (0, 1, 0)
    assert [row["class"] for row in monitoring.figures(serving).by_class] == ["car"]


def test_class_names_that_do_not_fit_the_probabilities_are_refused_by_line(serving: App):
    found = capture.ingest_files(serving, [line("x", 0.8)], classes=["car", "van", "bus"])
    assert (found.new, found.quarantined) == (0, 1)


def test_a_label_without_the_models_class_names_is_neither_confirmed_nor_relabelled(serving: App):
    capture.ingest_files(serving, [line("x", 0.8)])
    assert review.decide(serving, "x", "bicycle", "ann").status == "labelled"
