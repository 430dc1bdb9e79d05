"""Calls of functions and topics: what is passed, what comes back, and how errors are worded."""

import base64
import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.unit.asl.home import Home, ended
from tests.unit.asl.machines import FUNCTION, FUNCTIONS, INVOKE, invoke, one, task
from tests.unit.asl.world import run

LARGE = b"x" * 262_145


@pytest.mark.parametrize("returned", [b"[1, 2]", b' "a" ', b"null"])
def test_bytes_that_a_function_returns_are_json(returned: bytes):
    assert run(one(task("f")), functions={"f": lambda event: returned}).output == json.loads(returned)


@pytest.mark.parametrize(("returned", "error"), [(b"no", "Runtime.MarshalError"), (LARGE, "States.DataLimitExceeded")])
def test_bytes_that_are_no_json_or_too_many_fail_the_task(returned: bytes, error: str):
    assert run(one(task("f")), functions={"f": lambda event: returned}).error == error


@pytest.mark.parametrize("state", [task("nothing-of-the-kind"), invoke("nothing-of-the-kind")])
def test_a_function_that_is_missing_is_named_with_its_version(state: Any):
    cause = str(run(one(state)).cause)
    assert cause.startswith(f"Function not found: {FUNCTION}nothing-of-the-kind:$LATEST (")


@pytest.mark.parametrize(
    ("state", "begin"),
    [
        (task("refuse"), '{"errorMessage": "no dict", "errorType": "Refused", "requestId": '),
        (invoke("refuse"), '{"errorMessage":"no dict","errorType":"Refused","requestId":'),
    ],
)
def test_the_cause_is_the_text_of_the_runtime_and_compact_for_lambda_invoke(state: Any, begin: str):
    assert str(run(one(state), functions=FUNCTIONS).cause).startswith(begin)


def test_the_log_comes_back_where_it_is_wanted():
    parameters = {"FunctionName": FUNCTION + "echo", "Payload": {}, "LogType": "Tail"}
    output = run(one({"Type": "Task", "Resource": INVOKE, "Parameters": parameters}), functions=FUNCTIONS).output
    assert base64.b64decode(output["LogResult"]).decode().startswith("START RequestId: ")
    assert output["SdkHttpMetadata"]["HttpHeaders"]["X-Amz-Log-Result"] == output["LogResult"]
    assert "LogResult" not in run(one(invoke("echo")), functions=FUNCTIONS).output


@pytest.mark.parametrize("payload", ["NaN", "[Infinity]", "text"])
def test_a_payload_that_is_no_json_stays_text(payload: str):
    parameters = {"FunctionName": FUNCTION + "echo", "Payload": payload}
    definition = one({"Type": "Task", "Resource": INVOKE, "Parameters": parameters, "OutputPath": "$.Payload"})
    assert run(definition, functions=FUNCTIONS).output == payload


@pytest.mark.parametrize(("topic", "has_number"), [("t.fifo", True), ("t", False)])
def test_a_fifo_topic_numbers_its_messages(topic: str, has_number: bool):
    parameters = {"TopicArn": f"arn:aws:sns:us-east-1:123456789012:{topic}", "Message": "m"}
    definition = one({"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": parameters})
    output = run(definition).output
    assert ("SequenceNumber" in output) is has_number
    assert not has_number or len(output["SequenceNumber"]) == 20


@pytest.mark.parametrize(
    ("error", "status", "said", "name"),
    [
        ("NotFound", 404, "Topic does not exist", "SNS.NotFoundException"),
        ("InvalidParameter", 400, "Invalid parameter: MessageGroupId", "SNS.InvalidParameterException"),
    ],
)
def test_what_a_topic_refuses_is_worded_as_a_service_words_it(
    home: Home, error: str, status: int, said: str, name: str
):
    sns = boto3.client("sns", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    home.clients["sns"] = sns
    parameters = {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "m"}
    service = home.open()
    service.put("tell", one({"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": parameters}))
    with Stubber(sns) as stubbed:
        stubbed.add_client_error("publish", error, said, status, response_meta={"RequestId": "r-1"})
        service.start("tell", "one", {})
        found = ended(service, "one")
    assert found.error == name
    assert found.cause == (
        f"{said} (Service: AmazonSNS; Status Code: {status}; Error Code: {error}; Request ID: r-1; Proxy: null)"
    )
