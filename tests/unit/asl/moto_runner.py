"""Runs a state machine in moto's interpreter, a port of LocalStack's, whose histories were compared with AWS's.

Functions are called in this process: moto would need Docker for them.
"""

import io
import itertools
import json
import traceback
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3

from tests.waiting import until

REGION = "us-east-1"
_NUMBERS = itertools.count()


class Moto:
    """The mocked services. `run` gives the ended execution and its events."""

    def __init__(self, functions: Mapping[str, Callable[[Any], Any]]) -> None:
        session = boto3.Session("key", "secret", region_name=REGION)
        self.sfn = session.client("stepfunctions")
        self.s3 = session.client("s3")
        iam = session.client("iam")
        self.role = iam.create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        functions_client = session.client("lambda")
        for name in functions:
            functions_client.create_function(
                FunctionName=name,
                Runtime="python3.12",
                Role=self.role,
                Handler="handler.handler",
                Code={"ZipFile": _zip()},
            )

    def create(self, definition: Mapping[str, Any]) -> str:
        """Create a state machine and return its ARN."""
        created = self.sfn.create_state_machine(
            name=f"m{next(_NUMBERS)}", definition=json.dumps(definition), roleArn=self.role
        )
        return str(created["stateMachineArn"])

    def start(self, machine: str, name: str, given: Any) -> str:
        """Start an execution and return its ARN."""
        return str(
            self.sfn.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))["executionArn"]
        )

    def ended(self, execution: str) -> Mapping[str, Any]:
        """Wait for the end of an execution and return its description."""
        until(lambda: not self.is_running(execution), "moto does not end the execution")
        described: Mapping[str, Any] = self.sfn.describe_execution(executionArn=execution)
        return described

    def is_running(self, execution: str) -> bool:
        return bool(self.sfn.describe_execution(executionArn=execution)["status"] == "RUNNING")

    def run(self, definition: Mapping[str, Any], given: Any) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
        execution = self.start(self.create(definition), "run", given)
        described = self.ended(execution)
        found = self.sfn.get_execution_history(executionArn=execution, maxResults=1000)
        return described, [dict(event) for event in found["events"]]


@contextmanager
def moto(functions: Mapping[str, Callable[[Any], Any]]) -> Iterator[Moto]:
    # Three seconds to import, which only those spend who compare.
    from moto import mock_aws
    from moto.awslambda import models as lambda_models
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend  # noqa: F401 - fails when moto moves it

    def invoke(self: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
        event = json.loads(body) if body else {}
        try:
            return json.dumps(functions[self.function_name](event)).encode()
        except Exception as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps(
                {
                    "errorMessage": str(error),
                    "errorType": type(error).__name__,
                    "requestId": "id",
                    "stackTrace": traceback.format_tb(error.__traceback__),
                }
            ).encode()

    with (
        mock_aws(config={"stepfunctions": {"execute_state_machine": True}}),
        mock.patch.object(lambda_models.LambdaFunction, "invoke", invoke),
    ):
        yield Moto(functions)


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context):\n    return event\n")
    return buffer.getvalue()
