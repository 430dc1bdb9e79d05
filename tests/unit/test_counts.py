"""Every figure of Monitor, for every filter, is what the rows of the table give."""

import itertools
import json
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scones_core.db import counts
from scones_core.db import inferences as table
from scones_core.db.schema import inference_counts
from scones_core.domain.cells import EDGES, SECOND, Cells, bin_of, cut, histogram, period_of, spans, summed
from scones_core.domain.inference_filter import InferenceFilter
from scones_core.errors import BadInput
from scones_core.services import App, capture, counting, gallery, monitoring, review
from scones_core.services.monitoring import Figures
from tests.conftest import on_every_database
from tests.unit.test_ingest import line, put

START = datetime(2026, 3, 1, 10, 58, tzinfo=UTC)
SECONDS = [0, 1, 119, 120, 300, 421, 3_600, 40_000, 86_400, 5 * 86_400, 40 * 86_400, 500 * 86_400]
CONFIDENCES = [0.5, 0.93, 0.930001, 0.9299999, 0.931, 0.999, 0.99999, 1.0, 0.7, 0.0, 0.001]
MADE = [
    {"endpoint": "e", "variant": "AllTraffic", "model": 1, "attribution": "model", "class_list": 1},
    {"endpoint": "e", "variant": "Challenger", "model": 2, "attribution": "model", "class_list": 2},
    {"endpoint": "f", "variant": "AllTraffic", "model": None, "attribution": "unknown", "class_list": None},
    {"endpoint": "imported", "variant": "", "model": None, "attribution": "imported", "class_list": None},
]
NAMES = [("bicycle", "motorcycle"), ("motorcycle", "bicycle", "bus")]
INFERENCES = st.tuples(
    st.sampled_from(SECONDS), st.sampled_from(CONFIDENCES) | st.floats(0, 1), st.sampled_from(MADE), st.integers(0, 2)
)
TIMES = st.none() | st.sampled_from(SECONDS).map(lambda s: START + timedelta(seconds=s))
FILTERS = st.builds(
    InferenceFilter,
    since=TIMES,
    until=TIMES,
    endpoint=st.sampled_from([None, "e", "f"]),
    model=st.sampled_from([None, "v1", "v2", "unknown", "imported", "v9"]),
    prediction=st.sampled_from([None, "bicycle", "motorcycle", "bus", "class 0", "class 2", "nothing"]),
    accepted=st.sampled_from([None, True, False]),
    reviewed=st.sampled_from([None, True, False]),
    above=st.sampled_from([None, 0.0, 0.5, 0.93]),
    up_to=st.sampled_from([None, 0.93, 0.999, 1.0]),
)
THRESHOLDS = st.sampled_from([0.93, 0.0, 0.5, 0.999, 0.93000001, 0.999999, 1.0]) | st.floats(0, 1)


def added(app: App, drawn: Sequence[tuple[int, float, dict[str, Any], int]]) -> list[dict[str, Any]]:
    """Store inferences, each of an image of its own; every third is reviewed."""
    rows = [
        {
            **{"event_id": uuid.uuid4().hex, "time": START + timedelta(seconds=second), "confidence": confidence},
            **{"prediction": prediction, "content_type": "", "probabilities": [], "capture_key": "k"},
            **{"image_sha256": f"{number}", "margin": 0.0, "entropy": 0.0, "capture_line": number, **made},
        }
        for number, (second, confidence, made, prediction) in enumerate(drawn)
    ]
    with app.db.write() as connection:
        for name in ("reviewed_images", "decisions", "inference_counts", "inference_groups", "inferences"):
            connection.exec_driver_sql(f"DELETE FROM {name}")
        ids = table.class_list_ids(connection, NAMES)
        rows = [{**row, "class_list": row["class_list"] and ids[NAMES[row["class_list"] - 1]]} for row in rows]
        table.add(connection, rows)
        names = {id: classes for classes, id in ids.items()}
    for row in rows[::3]:
        review.decide(app, row["event_id"], None, "ann")
    reviewed = {row["event_id"] for row in rows[::3]}
    return [
        {
            **row,
            "reviewed": row["event_id"] in reviewed,
            "name": dict(enumerate(names.get(row["class_list"], ()))).get(
                row["prediction"], f"class {row['prediction']}"
            ),
            "maker": f"v{row['model']}" if row["model"] else row["attribution"],
        }
        for row in rows
    ]


def left(rows: Sequence[dict[str, Any]], which: InferenceFilter, at: float) -> list[dict[str, Any]]:
    """The rows that a filter leaves, by its definition."""

    def fits(row: dict[str, Any]) -> bool:
        return (
            (which.since is None or row["time"] >= which.since)
            and (which.until is None or row["time"] < which.until)
            and which.endpoint in (None, row["endpoint"])
            and which.model in (None, row["maker"])
            and which.prediction in (None, row["name"])
            and which.accepted in (None, row["confidence"] > at)
            and which.reviewed in (None, row["reviewed"])
            and (not which.above or row["confidence"] > which.above)
            and (which.up_to is None or row["confidence"] <= which.up_to)
        )

    return [row for row in rows if fits(row)]


def check(found: Figures, rows: Sequence[dict[str, Any]], at: float) -> None:
    values = np.array([row["confidence"] for row in rows])
    low = values <= at
    assert (found.inferences, found.low_confidence) == (len(rows), low.sum())
    assert found.mean_confidence == (pytest.approx(values.mean(), abs=1e-9) if len(rows) else None)
    assert {row["class"]: (row["inferences"], row["low_confidence"]) for row in found.by_class} == {
        name: (len(some), sum(row["confidence"] <= at for row in some))
        for name in {row["name"] for row in rows}
        if (some := [row for row in rows if row["name"] == name])
    }
    for bar in found.histogram:
        inside = (values > bar["from"]) & (values <= bar["to"]) | (values == 0) & (bar["from"] == 0)
        assert (bar["inferences"], bar["low_confidence"]) == (inside.sum(), (inside & low).sum())
    counted = Counter()
    for period in found.periods:
        inside = [row for row in rows if period.start <= row["time"] < period.end]
        counted.update(row["event_id"] for row in inside)
        assert period.inferences == len(inside)
        assert period.low_confidence == sum(row["confidence"] <= at for row in inside)
    assert set(counted.values()) <= {1}
    assert len(counted) == len(rows)
    ends = counting.thresholds(found.counted)
    assert [ends[place] for place in (1, 500, 930, 999, 1000)] == [
        (values <= EDGES[p]).sum() for p in (1, 500, 930, 999, 1000)
    ]
    assert set(found.points["event_id"]) == {row["event_id"] for row in rows}
    assert found.points["time"].is_monotonic_increasing
    assert {v.variant: v.inferences for v in found.by_variant} == Counter(
        row["variant"] for row in rows if row["endpoint"] == "e"
    )


def exhaustively(app: App, drawn: list[Any], which: InferenceFilter, at: float) -> None:
    app = replace(app, settings=app.settings.model_copy(update={"endpoint": "e"}))
    rows = added(app, drawn)
    expected = left(rows, which, at)
    check(monitoring.figures(app, which, at=at), expected, at)
    shown = list(itertools.chain.from_iterable(gallery.page(app, which, n, at=at, size=4).images for n in range(1, 9)))
    newest = sorted(expected, key=lambda row: (row["time"], row["event_id"]), reverse=True)
    assert [image.event_id for image in shown] == [row["event_id"] for row in newest[:32]]
    assert {maker.name: maker.inferences for maker in capture.makers(app)} == Counter(row["maker"] for row in rows)
    assert capture.captured(app) == len(rows)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(INFERENCES, max_size=30), FILTERS, THRESHOLDS)
@example([(0, 0.93, MADE[0], 0), (1, 0.9300001, MADE[1], 1)], InferenceFilter(), 0.93)
@example([(0, 0.93, MADE[0], 0)] * 9, InferenceFilter(reviewed=False, accepted=False), 0.93)
def test_any_filter_of_any_inferences_is_counted_as_its_rows_are(
    app: App, drawn: list[Any], which: InferenceFilter, at: float
):
    exhaustively(app, drawn, which, at)


@on_every_database
def test_many_inferences_are_counted_as_their_rows_are_on_every_database(app: App):
    rng = np.random.default_rng(0)
    drawn = [
        (int(rng.choice(SECONDS)), float(rng.choice(CONFIDENCES)), MADE[rng.integers(4)], int(rng.integers(3)))
        for _ in range(60)
    ]
    for which in (
        InferenceFilter(),
        InferenceFilter(since=START + timedelta(seconds=120), until=START + timedelta(days=41)),
        InferenceFilter(model="v2", prediction="bicycle", reviewed=True),
        InferenceFilter(accepted=True, reviewed=False, endpoint="e"),
    ):
        exhaustively(app, drawn, which, 0.9305)


def test_what_is_counted_can_be_made_anew_from_the_rows(app: App):
    added(app, [(s, c, made, 0) for s, c, made in zip(SECONDS, CONFIDENCES, itertools.cycle(MADE), strict=False)])

    def stored(connection: sa.Connection) -> set[tuple[Any, ...]]:
        groups = counts.groups(connection)
        return {
            (row.width, row.start, groups[row.group], row.inferences, row.cells)
            for row in connection.execute(sa.select(inference_counts))
        }

    with app.db.write() as connection:
        before = stored(connection)
        counts.recount(connection)
        assert stored(connection) == before
        assert len(before) > len(CONFIDENCES)


@on_every_database
def test_imported_inferences_move_to_the_classes_that_they_are_given_later(app: App):
    capture.ingest_files(app, [line("a") + line("b", minute=7)])
    assert [row["class"] for row in monitoring.figures(app).by_class] == ["class 0"]
    capture.ingest_files(app, [line("a")], classes=["car", "bus"])
    assert {row["class"]: row["inferences"] for row in monitoring.figures(app).by_class} == {"car": 1, "class 0": 1}
    capture.name_classes(app, ["van", "bus"])
    assert {row["class"]: row["inferences"] for row in monitoring.figures(app).by_class} == {"car": 1, "van": 1}
    assert monitoring.figures(app).inferences == capture.captured(app) == 2


def test_several_processes_that_ingest_at_once_count_each_inference_once(app: App):
    for name in "abcdef":
        put(app, f"2026/01/01/12/{name}.jsonl", b"".join(line(f"{name}{i}", minute=i % 50) for i in range(300)))
    command = [sys.executable, "-m", "scones_core", "--home", str(app.settings.home), "ingest", "--json"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    told = [json.loads(process.communicate()[0]) for process in running]
    assert sum(each["new"] for each in told) == capture.captured(app) == monitoring.figures(app).inferences == 1800
    assert len(monitoring.figures(app).points) == 1800


@given(st.sampled_from([i / 1000 for i in range(1, 1001)]))
def test_a_confidence_of_three_decimals_is_the_upper_end_of_its_bin(value: float):
    assert EDGES[bin_of([value])[0] + 1] == value
    assert cut(value) == (round(value * 1000) - 1, True)
    assert cut(np.nextafter(value, 0))[1] is False


@given(st.integers(0, 10**15), st.integers(0, 10**14), st.sampled_from([300, 3_600, 86_400]))
def test_spans_cover_a_time_once_and_in_whole_periods(start: int, length: int, widest: int):
    found = spans(start, start + length, widest)
    ends = [start, *(span.end for span in found)]
    assert [span.start for span in found] == ends[:-1]
    assert ends[-1] == start + length
    assert all(span.start < span.end and span.width in (0, 300, 3_600, 86_400) for span in found)
    assert all(
        span.start % (span.width * SECOND) == span.end % (span.width * SECOND) == 0 for span in found if span.width
    )
    assert sum(span.end - span.start for span in found if not span.width) < 2 * 300 * SECOND


def test_the_histogram_has_twenty_bins_and_the_threshold_cuts_one():
    cells = Cells.of([(0, 1, 0, value) for value in (0.0, 0.91, 0.93, 0.931, 0.94, 0.95, 1.0)])
    rows = histogram(cells.by_bin(), cells.where(cells.bin < 930).by_bin())
    assert [(row["from"], row["to"]) for row in rows] == [(i / 20, (i + 1) / 20) for i in range(20)]
    assert {row["to"]: (row["inferences"], row["low_confidence"]) for row in rows if row["inferences"]} == {
        0.05: (1, 1),
        0.95: (5, 2),
        1.0: (1, 0),
    }


def test_counts_that_are_subtracted_leave_the_rest_or_nothing():
    some = Cells.of([(0, 1, 0, 0.93), (5, 1, 1, 0.1 + 0.2)])
    assert ((some - some).total, (some - some).mean) == (0, None)
    less = some - Cells.of([(0, 1, 0, 0.93)])
    assert (less.total, less.mean) == (1, 0.3)
    assert less.by_bin(10).tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]


def test_equal_rows_are_summed_and_the_others_are_put_in_order():
    columns, values = [np.array([2, 1, 1, 2, 1]), np.array([0, 1, 0, 0, 1])], [np.array([1, 2, 3, 4, 5])]
    for rows, expected in (
        ([0, 1, 2, 3, 4], ([[1, 1, 2], [0, 1, 0]], [[3, 7, 5]])),
        ([3], ([[2], [0]], [[4]])),
        (list[int](), ([[], []], [[]])),
    ):
        found = summed([column[rows] for column in columns], [value[rows] for value in values])
        assert tuple([part.tolist() for part in parts] for parts in found) == expected


def test_a_chart_has_400_periods_at_most_of_the_shortest_width_unless_it_is_of_decades():
    widths = [300, 3_600, 86_400, 30 * 86_400]
    for width, wider in itertools.pairwise([*widths, widths[-1]]):
        assert period_of(7, 7 + 400 * width * SECOND) == width
        assert period_of(7, 8 + 400 * width * SECOND) == wider


@pytest.mark.parametrize("values", [{"above": 0.9301}, {"up_to": 0.0}, {"above": 1.2}, {"up_to": float("nan")}])
def test_confidences_between_bins_are_no_filter(values: dict[str, float]):
    with pytest.raises(BadInput, match="three decimals"):
        InferenceFilter(**values)
