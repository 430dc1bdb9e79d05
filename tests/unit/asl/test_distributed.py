"""Map in its distributed mode: where its items come from, its children, its tolerance of failures, its results."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.asl.machines import END, FUNCTIONS, one, task
from tests.unit.asl.world import Ended, MemoryObjects, run

FAIL_ON_2 = {
    "I": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "F"}], "Default": "P"},
    "F": {"Type": "Fail", "Error": "Two", "Cause": "is refused"},
    "P": END,
}


def distributed(states: Mapping[str, Any], *, express: bool = False, **fields: Any) -> Mapping[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS" if express else "STANDARD"}
    processor = {"ProcessorConfig": config, "StartAt": next(iter(states)), "States": states}
    return one({"Type": "Map", "ItemProcessor": processor, **fields})


def reading(config: Mapping[str, Any], *, key: str = "items") -> Mapping[str, Any]:
    return {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Parameters": {"Bucket": "bucket", "Key": key},
    }


def items_of(config: Mapping[str, Any], text: str, **fields: Any) -> Ended:
    objects = MemoryObjects({"items": text.encode()})
    return run(distributed({"I": END}, ItemReader=reading(config), **fields), objects=objects)


# Items

CSV = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}


@pytest.mark.parametrize(
    ("config", "text", "items"),
    [
        ({"InputType": "JSON"}, '[1, "two", {"three": null}]', [1, "two", {"three": None}]),
        ({"InputType": "JSONL"}, '{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        (CSV, 'a,b\n1,"x, y"\n2,\n', [{"a": "1", "b": "x, y"}, {"a": "2", "b": ""}]),
        (CSV, "\ufeffa,b\r\n1\r\n", [{"a": "1", "b": ""}]),
        (CSV | {"CSVDelimiter": "TAB"}, "a\tb\n1\t2\n", [{"a": "1", "b": "2"}]),
        ({"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x"]}, "1\n2\n", [{"x": "1"}, {"x": "2"}]),
        ({"InputType": "JSON", "MaxItems": 2}, "[1, 2, 3]", [1, 2]),
    ],
)
def test_items_are_read_from_an_object(config: Mapping[str, Any], text: str, items: Any):
    assert items_of(config, text).output == items


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"InputType": "JSON"}, "{}"),
        ({"InputType": "JSON"}, "["),
        ({"InputType": "JSONL"}, "{"),
        (CSV, "a,a\n1,2\n"),
    ],
)
def test_an_object_that_has_no_items_fails_the_map(config: Mapping[str, Any], text: str):
    ended = items_of(config, text)
    assert (ended.status, ended.error) == ("FAILED", "States.ItemReaderFailed")
    assert ended.types[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]


def test_an_object_that_is_missing_fails_the_map_and_can_be_caught():
    state = distributed({"I": END}, ItemReader=reading({"InputType": "JSON"}, key="no"))["States"]["S"]
    catch = [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "C"}]
    ended = run(one({**state, "Catch": catch}, C=END))
    assert ended.status == "SUCCEEDED"
    assert "NoSuchKey" in ended.output["Cause"]


def test_every_object_under_a_prefix_is_an_item():
    objects = MemoryObjects({f"images/{n:04}.png": b"x" * n for n in range(1_100)} | {"other.png": b""})
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Parameters": {"Bucket.$": "$.bucket", "Prefix.$": "$.prefix"},
    }
    given = {"bucket": "bucket", "prefix": "images/"}
    ended = run(distributed({"I": END}, express=True, ItemReader=reader), given, objects=objects)
    assert [item["Key"] for item in ended.output] == [f"images/{n:04}.png" for n in range(1_100)]
    assert set(ended.output[0]) == {"Etag", "Key", "LastModified", "Size", "StorageClass"}
    assert ended.output[7]["Size"] == 7


def test_items_can_come_from_the_input_and_be_selected():
    selector = {"n.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "around.$": "$.around"}
    ended = run(distributed({"I": END}, ItemsPath="$.items", ItemSelector=selector), {"items": [7, 8], "around": True})
    assert ended.output == [{"n": 7, "at": 0, "around": True}, {"n": 8, "at": 1, "around": True}]


def test_items_are_batched_by_number_and_by_size():
    def sizes(**batcher: Any) -> list[int]:
        ended = run(distributed({"I": END}, ItemBatcher=batcher), ["x" * 10] * 5)
        return [len(child["Items"]) for child in ended.output]

    assert sizes(MaxItemsPerBatch=2) == [2, 2, 1]
    assert sum(sizes(MaxInputBytesPerBatch=40)) == 5
    assert max(sizes(MaxInputBytesPerBatch=40)) == 2


def test_a_batch_carries_the_batch_input():
    ended = run(distributed({"I": END}, ItemBatcher={"MaxItemsPerBatch": 9, "BatchInput": {"k": 1}}), [1, 2])
    assert ended.output == [{"BatchInput": {"k": 1}, "Items": [1, 2]}]


# Children


def test_the_history_of_the_parent_tells_of_the_map_run_only():
    ended = run(distributed({"I": END}), [1, 2])
    assert list(zip(ended.types, ended.links, strict=True)) == [
        ("ExecutionStarted", 0),
        ("MapStateEntered", 0),
        ("MapStateStarted", 2),
        ("MapRunStarted", 3),
        ("MapRunSucceeded", 4),
        ("MapStateSucceeded", 5),
        ("MapStateExited", 4),
        ("ExecutionSucceeded", 7),
    ]
    assert ended.details("MapRunStarted") == [{"mapRunArn": ended.map_runs[0].arn}]


def test_standard_children_are_executions_with_a_history_of_their_own():
    ended = run(distributed({"I": task("double", End=True)}), [1, 2], functions=FUNCTIONS)
    assert [(child.input, child.output, child.status) for child in ended.children] == [
        (1, 2, "SUCCEEDED"),
        (2, 4, "SUCCEEDED"),
    ]
    types = [event["type"] for event in ended.children[0].events]
    assert (types[0], types[-1]) == ("ExecutionStarted", "ExecutionSucceeded")


def test_express_children_leave_nothing_but_their_result():
    ended = run(distributed({"I": END}, express=True), [1, 2])
    assert (ended.output, ended.children) == ([1, 2], [])


def test_at_most_so_many_children_run_at_once():
    wait = {"W": {"Type": "Wait", "Seconds": 10, "End": True}}
    assert run(distributed(wait, MaxConcurrency=2), [1, 2, 3]).seconds == pytest.approx(20, abs=0.5)


def test_the_children_are_counted():
    ended = run(distributed(FAIL_ON_2, ToleratedFailurePercentage=50), [1, 2, 3, 4])
    counts = ended.map_runs[0].description()["itemCounts"]
    assert (counts["total"], counts["succeeded"], counts["failed"], counts["pending"]) == (4, 3, 1, 0)
    assert ended.map_runs[0].status == "SUCCEEDED"


def test_a_stopped_execution_aborts_its_children():
    wait = {"W": {"Type": "Wait", "Seconds": 60, "End": True}}
    ended = run(distributed(wait, MaxConcurrency=2), [1, 2, 3], stop_after=5)
    assert ended.status == "ABORTED"
    assert ended.map_runs[0].status == "ABORTED"
    assert ended.map_runs[0].items["aborted"] == 2


def test_children_see_no_variables_of_the_states_around_them():
    state = distributed({"I": {"Type": "Pass", "Parameters": {"x.$": "$x"}, "End": True}})["States"]["S"]
    definition = {
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "S"}, "S": {**state, "ToleratedFailureCount": 1}},
    }
    assert run(definition, [1]).children[0].status == "FAILED"


# Tolerance


@pytest.mark.parametrize(
    ("tolerance", "status"),
    [
        ({}, "FAILED"),
        ({"ToleratedFailureCount": 1}, "FAILED"),
        ({"ToleratedFailureCount": 2}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 49}, "FAILED"),
        ({"ToleratedFailurePercentage": 50}, "SUCCEEDED"),
        ({"ToleratedFailureCount": 0, "ToleratedFailurePercentage": 100}, "FAILED"),
        ({"ToleratedFailureCountPath": "$.count", "ItemsPath": "$.items"}, "SUCCEEDED"),
    ],
)
def test_a_map_run_fails_when_more_children_fail_than_are_tolerated(tolerance: Mapping[str, Any], status: str):
    items = [1, 2, 2, 3]
    given = {"count": 2, "items": items} if "ItemsPath" in tolerance else items
    ended = run(distributed(FAIL_ON_2, MaxConcurrency=1, **tolerance), given)
    assert ended.status == status
    assert ended.error == (None if status == "SUCCEEDED" else "States.ExceedToleratedFailureThreshold")


def test_a_tolerated_failure_stands_among_the_results():
    ended = run(distributed(FAIL_ON_2, ToleratedFailureCount=1), [1, 2])
    assert ended.output[0] == 1
    assert (ended.output[1]["Status"], ended.output[1]["Error"]) == ("FAILED", "Two")


# Results

WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "bucket", "Prefix": "results/"}}


def test_results_are_written_by_status_with_a_manifest():
    objects = MemoryObjects()
    ended = run(distributed(FAIL_ON_2, ToleratedFailureCount=1, ResultWriter=WRITER), [1, 2, 3], objects=objects)
    details = ended.output["ResultWriterDetails"]
    run_id = ended.map_runs[0].arn.rpartition(":")[2]
    assert ended.output["MapRunArn"] == ended.map_runs[0].arn
    assert details == {"Bucket": "bucket", "Key": f"results/{run_id}/manifest.json"}
    manifest = json.loads(objects.get(details["Key"]))
    assert manifest["DestinationBucket"] == "bucket"
    files = manifest["ResultFiles"]
    assert {status: len(files[status]) for status in files} == {"SUCCEEDED": 1, "FAILED": 1, "PENDING": 0}
    (failed,) = json.loads(objects.get(files["FAILED"][0]["Key"]))
    assert (failed["Input"], failed["Status"], failed["Error"]) == ("2", "FAILED", "Two")
    succeeded = objects.get(files["SUCCEEDED"][0]["Key"])
    assert [json.loads(result["Output"]) for result in json.loads(succeeded)] == [1, 3]
    assert files["SUCCEEDED"][0]["Size"] == len(succeeded)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"Transformation": "COMPACT"}, "[[1],[2,3]]"),
        ({"Transformation": "FLATTEN"}, "[1,2,3]"),
        ({"Transformation": "COMPACT", "OutputType": "JSONL"}, "[1]\n[2,3]"),
    ],
)
def test_results_can_be_transformed(config: Mapping[str, Any], text: str):
    objects = MemoryObjects()
    run(distributed({"I": END}, ResultWriter=WRITER | {"WriterConfig": config}), [[1], [2, 3]], objects=objects)
    (key,) = [key for key in objects.objects if "SUCCEEDED" in key]
    assert objects.get(key).decode() == text


def test_results_that_cannot_be_written_fail_the_map():
    writer = WRITER | {"Parameters": {"Bucket": "elsewhere"}}
    assert run(distributed({"I": END}, ResultWriter=writer), [1]).error == "States.ResultWriterFailed"


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"InputType": "JSON", "MaxItemsPath": "$.n"}, {}),
        ({"InputType": "JSON"}, {"ItemBatcher": {"MaxItemsPerBatchPath": "$.n"}}),
    ],
)
def test_a_field_that_fails_ends_the_execution_before_the_map_run_starts(config: Any, fields: Any):
    objects = MemoryObjects({"items": b"[1, 2]"})
    definition = distributed({"I": END}, ItemReader=reading(config), **fields)
    ended = run(definition, {"n": 1.5}, objects=objects)
    assert ended.types == ["ExecutionStarted", "MapStateEntered", "MapStateStarted", "ExecutionFailed"]
    assert (ended.error, str(ended.cause)[:43]) == ("States.Runtime", "An error occurred while executing the state")


@pytest.mark.parametrize("field", ["MaxItemsPerBatch", "MaxInputBytesPerBatch"])
def test_a_bound_that_is_not_positive_fails_the_map_run(field: str):
    ended = run(distributed({"I": END}, ItemsPath="$.a", ItemBatcher={field + "Path": "$.n"}), {"a": [1], "n": 0})
    assert (ended.error, ended.cause) == ("States.ItemReaderFailed", f"field {field} must be positive")
    assert ended.types[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]


def test_an_items_path_beside_an_item_reader_is_ignored():
    assert items_of({"InputType": "JSON", "MaxItems": 100_000_000}, "[1, 2]", ItemsPath="$.nothing").output == [1, 2]


def test_an_expression_of_the_reader_that_fails_is_recorded():
    arguments = {"Bucket": "bucket", "Key": "{% $states.input.key %}"}
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Arguments": arguments,
        "ReaderConfig": {"InputType": "JSON"},
    }
    ended = run(distributed({"I": END}, QueryLanguage="JSONata", ItemReader=reader))
    assert ended.types[-3:] == ["EvaluationFailed", "MapStateFailed", "ExecutionFailed"]
    assert ended.details("EvaluationFailed")[0]["location"] == "Arguments/Key"


@pytest.mark.parametrize(
    ("transformation", "output"), [("FLATTEN", [1, 2, 3]), ("COMPACT", [[1, 2], [3]]), ("NONE", ["[1,2]", "[3]"])]
)
def test_a_result_writer_without_a_place_transforms_the_output(transformation: str, output: Any):
    """https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html"""
    writer = {"WriterConfig": {"Transformation": transformation, "OutputType": "JSON"}}
    given = run(distributed({"I": END}, ResultWriter=writer), [[1, 2], [3]]).output
    assert [record["Output"] if transformation == "NONE" else record for record in given] == output
