"""Errors that pass by themselves are tried again by the state machines, under the names that AWS gives them."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.stub import Stubber

from tests.unit.test_lambdas import classify, event, serialize

INFRA = Path(__file__).parents[2] / "infra"
CONTEXT = SimpleNamespace(aws_request_id="request-1")
NOBODY: Any = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "s"}
MACHINES = ["classify_image", "classify_batch"]
# https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html; a function that runs into its
# time limit is told as Sandbox.Timedout by Lambda itself.
OF_LAMBDA = [
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
]


def states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


def retried(machine: str, state: str) -> set[str]:
    definition = json.loads((INFRA / f"{machine}.asl.json").read_text())
    return {name for retrier in dict(states(definition))[state]["Retry"] for name in retrier["ErrorEquals"]}


@pytest.mark.parametrize("machine", MACHINES)
def test_every_task_is_tried_again_when_lambda_fails(machine: str):
    definition = json.loads((INFRA / f"{machine}.asl.json").read_text())
    tasks = [name for name, state in states(definition) if state["Type"] == "Task"]
    assert tasks
    assert all(set(OF_LAMBDA) <= retried(machine, task) for task in tasks)


def runtime(code: str) -> Any:
    """A client of the endpoint, which answers with an error."""
    client = boto3.client(
        "sagemaker-runtime", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="s"
    )
    stubber = Stubber(client)
    stubber.add_client_error("invoke_endpoint", code, "refused")
    stubber.activate()
    return client


def raised(code: str) -> str:
    """The name that Lambda gives the error: that of its class."""
    with pytest.raises(botocore.exceptions.ClientError) as told:
        classify.handler(event("serialized"), CONTEXT, runtime=runtime(code), environ={"ENDPOINT_NAME": "e"}, s3=None)
    return type(told.value).__name__


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "code",
    [
        "ThrottlingException",
        "ModelNotReadyException",
        "ServiceUnavailable",
        "InternalFailure",
        "InternalDependencyException",
    ],
)
def test_what_passes_at_the_endpoint_is_tried_again(machine: str, code: str):
    assert raised(code) in retried(machine, "Image Classification")


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("code", ["ValidationError", "ModelError"])
def test_what_stays_as_it_is_fails_at_once(machine: str, code: str):
    """There is no such endpoint; the model cannot read the image."""
    assert raised(code) not in retried(machine, "Image Classification")


@pytest.mark.parametrize("machine", MACHINES)
def test_a_missing_image_fails_at_once_and_a_busy_bucket_is_asked_again(machine: str):
    client = boto3.client("s3", **NOBODY)
    names = []
    for code, status in (("NoSuchKey", 404), ("SlowDown", 503)):
        with Stubber(client) as stubber:
            stubber.add_client_error("get_object", code, "refused", status)
            with pytest.raises(botocore.exceptions.ClientError) as told:
                serialize.handler(event("step_input"), CONTEXT, s3=client)
        names.append(type(told.value).__name__)
    missing, busy = names
    tried_again = retried(machine, "Serialize Image Data")
    assert missing not in tried_again
    assert busy in tried_again


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("error", ["ConnectTimeoutError", "ReadTimeoutError", "EndpointConnectionError"])
def test_a_network_that_fails_is_tried_again(machine: str, error: str):
    assert issubclass(getattr(botocore.exceptions, error), botocore.exceptions.BotoCoreError)
    assert error in retried(machine, "Image Classification") & retried(machine, "Serialize Image Data")
