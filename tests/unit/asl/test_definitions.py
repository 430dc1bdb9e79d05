"""What is refused when a definition is loaded, and that the message names the state and the field."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scones_core.local.workflow.asl.compile import compile_machine
from scones_core.local.workflow.asl.errors import DefinitionError
from scones_core.local.workflow.definitions import substituted
from tests.unit.asl.machines import END, INVOKE, invoke, mapping, one, parallel, task

INFRA = Path(__file__).parents[3] / "infra"
DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
S3 = "arn:aws:states:::s3:"


def refusal(definition: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        compile_machine(definition)
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(INFRA.glob("*.asl.json")), ids=lambda path: path.name)
def test_the_machines_of_the_project_load(path: Path):
    machine = compile_machine(json.loads(substituted(path.read_text())))
    assert machine.start_at in machine.states


STATES: list[tuple[Mapping[str, Any], str]] = [
    ({"Type": "Dream"}, "'Type' must be one of"),
    ({"Type": "Pass", "Nap": 1}, "'Nap' is not known"),
    ({"Type": "Pass", "End": False}, "'Next' and 'End'"),
    ({"Type": "Pass", "Next": "C", "End": True}, "'Next' and 'End'"),
    ({"Type": "Pass", "Next": "Nowhere"}, "leads to 'Nowhere'"),
    ({"Type": "Pass", "InputPath": "data"}, "'InputPath' is wrong"),
    ({"Type": "Pass", "InputPath": "$.a["}, "'InputPath' is wrong"),
    ({"Type": "Pass", "ResultPath": "$.a[*]"}, "'ResultPath' is wrong"),
    ({"Type": "Pass", "ResultPath": "$$.a"}, "'ResultPath' is wrong"),
    ({"Type": "Pass", "OutputPath": 1}, "'OutputPath' is wrong"),
    ({"Type": "Pass", "Parameters": {"a.$": 1}}, "'Parameters' is wrong"),
    ({"Type": "Pass", "Parameters": {"a.$": "$.a", "a": 1}}, "'a' twice"),
    ({"Type": "Pass", "Parameters": {"a.$": "States.Nothing()"}}, "States.Nothing"),
    ({"Type": "Pass", "Parameters": {"a.$": "States.UUID("}}, "'Parameters' is wrong"),
    ({"Type": "Pass", "Assign": {"states": 1}}, "'states', which is reserved"),
    ({"Type": "Pass", "Assign": {"1st": 1}}, "no identifier"),
    ({"Type": "Pass", "Output": 1}, "'Output' is not known"),
    ({"Type": "Succeed", "Next": "C"}, "'Next' is not known"),
    ({"Type": "Succeed", "Assign": {"a": 1}}, "not allowed in a Succeed"),
    ({"Type": "Fail", "End": True}, "'End' is not known"),
    ({"Type": "Fail", "Error": "E", "ErrorPath": "$.e"}, "only one of the fields"),
    ({"Type": "Fail", "ErrorPath": 1}, "must be a path or an intrinsic function"),
    (
        {"Type": "Pass", "Parameters": {"x.$": """States.Format('say \\"{}\\"', 'so')"""}, "End": True},
        "have a backslash only before ', {, } or another one",
    ),
    ({"Type": "Pass", "Parameters": {"x.$": "States.Format('open"}, "End": True}, "must end with '"),
    ({"Type": "Fail", "CausePath": ["$.a"]}, "must be a path or an intrinsic function"),
    ({"Type": "Wait", "TimestampPath": {}, "Next": "Z"}, "must be a path"),
    ({"Type": "Wait", "SecondsPath": 3, "Next": "Z"}, "is not a path"),
    ({"Type": "Fail", "Error": 1}, "'Error' must be a text"),
    ({"Type": "Wait"}, "one of the fields Seconds"),
    ({"Type": "Wait", "Seconds": 1, "Timestamp": "2020-01-01T00:00:00Z"}, "only one of the fields"),
    ({"Type": "Wait", "Seconds": -1}, "'Seconds' must be an integer"),
    ({"Type": "Wait", "Timestamp": "tomorrow"}, "'Timestamp' must be a timestamp"),
    ({"Type": "Wait", "Timestamp": "{% $now() %}"}, "'Timestamp' must be a timestamp"),
    ({"Type": "Choice", "Choices": []}, "'Choices' must be a list that is not empty"),
    ({"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "Nowhere"}]}, "leads to 'Nowhere'"),
    ({"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1}]}, "'Next' is missing"),
    ({"Type": "Choice", "Choices": [{"Variable": "$", "Next": "C"}]}, "comparison"),
    ({"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": "1", "Next": "C"}]}, "'NumericEquals'"),
    ({"Type": "Choice", "Choices": [{"Variable": "a", "NumericEquals": 1, "Next": "C"}]}, "'Variable'"),
    ({"Type": "Choice", "Choices": [{"And": [], "Next": "C"}]}, "'And'"),
    (
        {"Type": "Choice", "Choices": [{"Not": {"Variable": "$", "IsNull": True, "Next": "C"}, "Next": "C"}]},
        "Not: the field 'Next' belongs to the outermost rule",
    ),
    (
        {"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": True, "Next": "C"}], "Default": "Nowhere"},
        "leads to 'Nowhere'",
    ),
    (task("f", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Nowhere"}]), "leads to 'Nowhere'"),
    (task("f", Catch=[{"ErrorEquals": [], "Next": "C"}]), "Catch[0]: the field 'ErrorEquals'"),
    (task("f", Catch=[{"ErrorEquals": ["States.ALL", "E"], "Next": "C"}]), "States.ALL only alone"),
    (task("f", Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]), "only in the last entry"),
    (task("f", Retry=[{"ErrorEquals": ["E"], "MaxAttempts": -1}]), "'MaxAttempts'"),
    (task("f", Retry=[{"ErrorEquals": ["E"], "BackoffRate": 0.5}]), "'BackoffRate'"),
    (task("f", Retry=[{"ErrorEquals": ["E"], "MaxDelaySeconds": 1, "IntervalSeconds": 2}]), "'MaxDelaySeconds'"),
    (task("f", Retry=[{"ErrorEquals": ["E"], "JitterStrategy": "SOME"}]), "'JitterStrategy'"),
    (task("f", TimeoutSeconds=0), "'TimeoutSeconds'"),
    (task("f", TimeoutSeconds=2, HeartbeatSeconds=3), "'HeartbeatSeconds' must not be greater"),
    (task("f", TimeoutSeconds=2, TimeoutSecondsPath="$.t"), "only one of the fields"),
    (invoke("f", Parameters={"Payload": 1}), "'Parameters' must have FunctionName"),
    (invoke("f", Parameters={"FunctionName": "f", "Mood": 1}), "'Mood'"),
    (invoke("f", Parameters={"FunctionName": "f", "InvocationType": "Event"}), "only RequestResponse"),
    (invoke("f", Resource=INVOKE + ".waitForTaskToken"), "'Resource' names"),
    (invoke("f", Resource="arn:aws:states:::dynamodb:getItem"), "'Resource' names"),
    (invoke("f", Resource="arn:aws:states:eu-west-1:123456789012:activity:a"), "'Resource' names"),
    (invoke("f", Credentials={"RoleArn": "r"}), "'Credentials' is not known"),
    (parallel(), "'Branches' must be a list that is not empty"),
    ({"Type": "Map"}, "one of the fields ItemProcessor"),
    (mapping({"I": END}, Iterator={"StartAt": "I", "States": {"I": END}}), "only one of the fields"),
    (mapping({"I": END}, ItemSelector={}, Parameters={}), "only one of the fields"),
    (mapping({"I": END}, ItemReader={"Resource": S3 + "getObject"}), "needs a ProcessorConfig"),
    (mapping({"I": END}, ToleratedFailurePercentage=101), "'ToleratedFailurePercentage'"),
    (mapping({"I": END}, MaxConcurrency=-1), "'MaxConcurrency'"),
    (mapping({"S": END}, "S"), "used twice"),
]


@pytest.mark.parametrize(("state", "message"), STATES, ids=lambda given: json.dumps(given)[:60])
def test_a_wrong_state_is_refused(state: Mapping[str, Any], message: str):
    text = refusal(one(state, C={"Type": "Succeed"}) if "C" in json.dumps(state) else one(state))
    assert message in text
    assert "State 'S'" in text


READERS: list[tuple[Mapping[str, Any], str]] = [
    ({"Resource": S3 + "listObjects", "Parameters": {}}, "ItemReader: the field 'Resource' must be"),
    ({"Resource": S3 + "getObject", "Parameters": {}}, "'InputType' must be one of"),
    ({"Resource": S3 + "getObject", "ReaderConfig": {"InputType": "JSON"}}, "'Parameters' is missing"),
    ({"Resource": S3 + "getObject", "Parameters": {}, "ReaderConfig": {"InputType": "CSV"}}, "'CSVHeaderLocation'"),
    ({"Resource": S3 + "getObject", "Parameters": {}, "ReaderConfig": {"InputType": "MANIFEST"}}, "'InputType'"),
    (
        {
            "Resource": S3 + "getObject",
            "Parameters": {},
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"},
        },
        "'CSVHeaders' is missing",
    ),
]


@pytest.mark.parametrize(("reader", "message"), READERS, ids=lambda given: json.dumps(given)[:60])
def test_a_wrong_item_reader_is_refused(reader: Mapping[str, Any], message: str):
    processor = {"ProcessorConfig": DISTRIBUTED, "StartAt": "I", "States": {"I": END}}
    assert message in refusal(one({"Type": "Map", "ItemReader": reader, "ItemProcessor": processor}))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("ItemBatcher", {}, "'MaxItemsPerBatch' or MaxInputBytesPerBatch"),
        ("ItemBatcher", {"MaxItemsPerBatch": 0}, "'MaxItemsPerBatch'"),
        ("ResultWriter", {"Resource": S3 + "getObject", "Parameters": {}}, "'Resource' must be"),
        ("ResultWriter", {"Resource": S3 + "putObject"}, "'Parameters' is missing"),
        ("Label", "a b", "'Label'"),
        ("Label", "x" * 41, "'Label'"),
    ],
)
def test_a_wrong_field_of_a_distributed_map_is_refused(field: str, value: Any, message: str):
    processor = {"ProcessorConfig": DISTRIBUTED, "StartAt": "I", "States": {"I": END}}
    assert message in refusal(one({"Type": "Map", field: value, "ItemProcessor": processor}))


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ([], "The definition must be a JSON object"),
        ({"StartAt": "S"}, "'States' is missing"),
        ({"StartAt": "S", "States": {}}, "at least one state"),
        ({"States": {"S": END}}, "'StartAt' is missing"),
        ({"StartAt": "T", "States": {"S": END}}, "'StartAt' leads to 'T'"),
        ({"StartAt": "S", "States": {"S": END, "T": END}}, "State 'T': no other state leads to it"),
        ({"StartAt": "S", "States": {"S": {"Type": "Pass", "Next": "S"}}}, "no state ends it"),
        ({"StartAt": "S", "States": {"S": []}}, "State 'S' must be a JSON object"),
        ({"StartAt": "n" * 81, "States": {"n" * 81: END}}, "1 to 80 characters"),
        ({"StartAt": "S", "States": {"S": END}, "Version": "2.0"}, "'Version'"),
        ({"StartAt": "S", "States": {"S": END}, "TimeoutSeconds": 0}, "'TimeoutSeconds'"),
        ({"StartAt": "S", "States": {"S": END}, "QueryLanguage": "SQL"}, "'QueryLanguage'"),
        ({"StartAt": "S", "States": {"S": END}, "Mood": "good"}, "'Mood' is not known"),
    ],
)
def test_a_wrong_machine_is_refused(definition: Any, message: str):
    assert message in refusal(definition)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"Type": "Pass", "InputPath": "$.a"}, "'InputPath' is not known"),
        ({"Type": "Pass", "Result": 1}, "'Result' is not known"),
        ({"Type": "Pass", "Output": "{% $states. %}"}, "'Output' is wrong"),
        ({"Type": "Pass", "Output": "{% $ %}"}, "refers to $"),
        ({"Type": "Pass", "Output": "{% input.a %}"}, "refers to input"),
        ({"Type": "Pass", "Output": "{% $eval('1') %}"}, "refers to $eval"),
        ({"Type": "Choice", "Choices": [{"Condition": "yes", "Next": "C"}]}, "'Condition' must be"),
        ({"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": True, "Next": "C"}]}, "'Condition'"),
        (task("f", Parameters={}), "'Parameters' is not known"),
        (task("f", TimeoutSeconds="1"), "'TimeoutSeconds'"),
        ({"Type": "Pass", "Output": "{% $states.result %}"}, "no access"),
        ({"Type": "Wait", "Seconds": "{% 1 + $states.result.a %}"}, "no access"),
        (task("f", Arguments={"a": "{% $states.errorOutput %}"}), "no access"),
        (task("f", Output={"a": ["{% $sum($states.errorOutput.a) %}"]}), "no access"),
    ],
)
def test_a_wrong_state_of_jsonata_is_refused(state: Mapping[str, Any], message: str):
    definition = one({"QueryLanguage": "JSONata", **state}, **({"C": END} if state["Type"] == "Choice" else {}))
    assert message in refusal(definition)


def test_a_machine_of_jsonata_has_no_state_of_jsonpath():
    definition = {**one({"Type": "Pass", "QueryLanguage": "JSONPath"}), "QueryLanguage": "JSONata"}
    assert "'QueryLanguage'" in refusal(definition)


INSIDE = {"I": {"Type": "Pass", "Assign": {"x.$": "$"}, "End": True}}


@pytest.mark.parametrize("state", [parallel(INSIDE, Next="C"), mapping(INSIDE, Next="C")])
def test_states_inside_do_not_assign_what_the_states_around_them_assign(state: Mapping[str, Any]):
    message = refusal(one(state, C={"Type": "Pass", "Assign": {"x": 1}, "End": True}))
    assert "State 'I': the field 'Assign' gives a value to 'x'" in message


def test_a_parallel_or_map_may_assign_what_the_states_inside_assign():
    caught = {"Catch": [{"ErrorEquals": ["E"], "Assign": {"x": 1}, "Next": "C"}]}
    compile_machine(one(parallel(INSIDE, **caught), C=END))
    compile_machine(one(mapping(INSIDE, Assign={"x": 1})))


@pytest.mark.parametrize("text", ["{% $states.input }", "{% 1", "1 %}", " {% 1 %}", "{% 1 %} "])
def test_an_expression_begins_and_ends_with_its_marks(text: str):
    """https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html"""
    for given in (text, {"a": [text]}):
        assert "is not an expression" in refusal(one({"QueryLanguage": "JSONata", "Type": "Pass", "Output": given}))


def test_a_heartbeat_may_be_as_long_as_the_timeout():
    compile_machine(one(task("f", TimeoutSeconds=2, HeartbeatSeconds=2)))
