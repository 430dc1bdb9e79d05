"""Label files of other tools, row by row."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from scones_core.domain.label_files import LabelRow, NotALabelFile, RefusedRow, rows_of

AT = datetime(2024, 5, 1, 10, 11, 12, tzinfo=UTC)


def task(*annotations: Any, **more: Any) -> dict[str, Any]:
    return {"data": {"image": "s3://b/x.png"}, "annotations": list(annotations), **more}


def chosen(*choices: str, **more: Any) -> dict[str, Any]:
    return {"result": [{"value": {"choices": list(choices)}}], **more}


def read(*tasks: Any) -> list[LabelRow | RefusedRow]:
    return list(rows_of(json.dumps(tasks)))


def test_a_label_studio_task_with_all_its_details():
    meta = {"id": "e1", "note": "dark", "strategy": "audit", "probability": 0.25}
    annotation = chosen(
        " bicycle ", completed_by={"email": "ann@b", "id": 3}, created_at="2024-05-01T10:11:12Z", meta=meta
    )
    expected = LabelRow(1, "bicycle", "e1", "s3://b/x.png", "ann@b", AT, "dark", "audit", 0.25)
    assert read(task(annotation)) == [expected]


@pytest.mark.parametrize(
    ("by", "reviewer"),
    [({"id": 3}, "Label Studio user 3"), (7, "Label Studio user 7"), ("bob", "bob"), ([1], None), (None, None)],
)
def test_an_annotator_has_an_address_a_name_or_a_number(by: Any, reviewer: str | None):
    [row] = read(task(chosen("a", completed_by=by)))
    assert isinstance(row, LabelRow)
    assert row.reviewer == reviewer


def test_what_an_annotation_says_of_itself_comes_before_what_its_task_says():
    times = {"created_at": "2023-01-01T00:00:00Z"}
    [row] = read(
        task(
            chosen("a", meta={"reviewer": "bob"}, **times),
            meta={"reviewer": "ann", "time": "2024-05-01T12:11:12+02:00"},
        )
    )
    assert isinstance(row, LabelRow)
    assert (row.reviewer, row.time) == ("bob", AT)


@pytest.mark.parametrize(
    ("data", "image"),
    [
        ({"image": "s3://b/x.png", "text": "y"}, "s3://b/x.png"),
        ({"text": "y", "image": "s3://b/x.png"}, "s3://b/x.png"),
        ({"number": 1, "empty": "", "photo": "s3://b/y.png"}, "s3://b/y.png"),
        ({"number": 1}, ""),
    ],
)
def test_a_tasks_image_is_its_image_or_its_first_text(data: dict[str, Any], image: str):
    [row] = read({"data": data, "annotations": [chosen("a")]})
    assert isinstance(row, LabelRow)
    assert row.image == image


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        ("text", "The task has no “data”."),
        ({"data": []}, "The task has no “data”."),
        (task(), "The task has no annotation."),
        (task(chosen("a", was_cancelled=True), "text"), "The task has no annotation."),
        (task(chosen()), "The annotation has no choice; one is needed."),
        (task({"result": None}), "The annotation has no choice; one is needed."),
        (
            task({"result": ["x", {"value": 1}, {"value": {"choices": 1}}]}),
            "The annotation has no choice; one is needed.",
        ),
        (task(chosen("a", "b")), "The annotation has 2 choices; one is needed."),
        (task(chosen("a", meta={"probability": "often"})), "The probability “often” is not a number."),
        (task(chosen("a", created_at="soon")), "“soon” is not a time."),
    ],
)
def test_a_task_that_cannot_be_used_says_why_and_the_others_are_read(one: Any, reason: str):
    assert read(one, task(chosen("b"))) == [RefusedRow(1, reason), LabelRow(2, "b", image="s3://b/x.png")]


def test_an_annotation_that_cannot_be_used_leaves_the_others_of_its_task():
    assert read(task(chosen("a", "b"), chosen("c")))[1] == LabelRow(1, "c", image="s3://b/x.png")


def test_a_csv_with_all_its_details_in_any_case_and_order():
    text = "\ufeffTime, LABEL ,image,id,Reviewer,note,strategy,probability\n"
    text += "2024-05-01T10:11:12,bicycle,s3://b/x.png,e1,ann,dark,audit,0.25\n"
    text += ",'=motorcycle,,e2,,,,,beyond the header\n"
    expected = LabelRow(1, "bicycle", "e1", "s3://b/x.png", "ann", AT, "dark", "audit", 0.25)
    assert list(rows_of(text)) == [expected, LabelRow(2, "=motorcycle", "e2")]


def test_a_csv_without_images_and_a_row_without_a_label():
    assert list(rows_of("label,id\nbicycle,e1\n,e2\nmotorcycle\n")) == [
        LabelRow(1, "bicycle", "e1"),
        RefusedRow(2, "The row has no label."),
        LabelRow(3, "motorcycle"),
    ]


def test_a_row_that_cannot_be_read_ends_a_csv_with_its_line():
    first, last = rows_of("label,id\nbicycle,e1\n" + "x" * 200_000 + ",e2\n")
    assert first == LabelRow(1, "bicycle", "e1")
    assert isinstance(last, RefusedRow)
    assert last.row in (2, 3)
    assert last.reason.startswith("The row cannot be read (")
    assert last.reason.endswith("); the rows after it are not read either.")


def test_lines_of_a_manifest_are_numbered_with_the_empty_ones():
    line = json.dumps({"source-ref": "s3://b/x.png", "v": 0, "v-metadata": {"class-name": "a"}})
    unnamed = json.dumps({"source-ref": "s3://b/x.png", "v": 0, "v-metadata": {"confidence": 1}})
    alone = json.dumps({"source-ref": "s3://b/x.png", "vehicle": 0})
    assert list(rows_of(f'{line}\n\n{{"broken\n{unnamed}\n{alone}\n{{"source-ref": "x"}}\n{line}')) == [
        LabelRow(1, "a", image="s3://b/x.png"),
        RefusedRow(3, "The line is not JSON."),
        RefusedRow(4, "“v-metadata” has no “class-name”, so that the label's class is not known."),
        RefusedRow(5, "The label “vehicle” has no “vehicle-metadata” with its class name."),
        RefusedRow(6, "The image has no label."),
        LabelRow(7, "a", image="s3://b/x.png"),
    ]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "The line is not a JSON object."),
        ({"source-ref": 7, "v-metadata": {"class-name": "a"}}, "The line has no “source-ref” with the image's place."),
        ({"source-ref": "", "v-metadata": {"class-name": "a"}}, "The line has no “source-ref” with the image's place."),
        (
            {"source-ref": "x", "v-metadata": {"class-name": "a"}, "w-metadata": {"class-name": "b"}},
            "The line has several labels (“v”, “w”): leave one of them.",
        ),
        ({"source-ref": "x", "v": 0, "v-metadata": "text"}, "The label “v” has no “v-metadata” with its class name."),
    ],
)
def test_a_line_of_a_manifest_that_cannot_be_used_says_why(document: Any, reason: str):
    assert list(rows_of('{"broken\n' + json.dumps(document)))[1] == RefusedRow(2, reason)


def test_of_two_labels_the_one_whose_value_is_there_counts():
    metadata = {"v-metadata": {"class-name": "a"}, "w-metadata": {"class-name": "b"}}
    assert list(rows_of(json.dumps({"source-ref": "x", "w": 0, **metadata}))) == [LabelRow(1, "b", image="x")]


@pytest.mark.parametrize("written", ["2024-05-01T10:11:12Z", "2024-05-01T10:11:12", "2024-05-01T13:11:12+03:00"])
def test_times_are_utc_wherever_this_machine_is(written: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        [row] = rows_of(f"label,time\na,{written}\n")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert isinstance(row, LabelRow)
    assert (row.time, row.time and row.time.tzinfo) == (AT, UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[{]", "It starts like Label Studio's JSON, but is not JSON: export it again."),
        ("[" * 100_000, "It starts like Label Studio's JSON, but is not JSON: export it again."),
        ("", "It is neither an augmented manifest"),
        ("id,class\n1,a\n", "nor a CSV with a column “label”"),
    ],
)
def test_what_is_no_label_file_is_refused(text: str, reason: str):
    with pytest.raises(NotALabelFile) as refused:
        rows_of(text)
    assert reason in str(refused.value)
