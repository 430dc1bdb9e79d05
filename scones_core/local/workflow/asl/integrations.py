"""Integrations a Task can call, and their events.

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-host.html
"""

import base64
import email.utils
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from scones_core.local.workflow.asl.errors import StatesError
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.history import UNTRUNCATED
from scones_core.local.workflow.asl.host import Host
from scones_core.local.workflow.asl.jsontext import dumps

REGION = "local"


class Integration(Protocol):
    @property
    def label(self) -> str:
        """How a message names the resource."""
        ...

    def scheduled(self, frame: Frame, arguments: str, durations: Mapping[str, int]) -> None: ...

    def started(self, frame: Frame) -> None: ...

    async def call(self, host: Host, arguments: Any) -> Any:
        """Call the resource and return its result. Raises StatesError."""
        ...

    def succeeded(self, frame: Frame, result: str) -> None: ...

    def failed(self, frame: Frame, error: StatesError) -> None: ...

    def timed_out(self, frame: Frame, error: StatesError) -> None: ...


@dataclass(frozen=True)
class LambdaFunction:
    """A function named by its ARN: the arguments are its payload, and its result the task's."""

    arn: str

    @property
    def label(self) -> str:
        return self.arn

    def scheduled(self, frame: Frame, arguments: str, durations: Mapping[str, int]) -> None:
        details = {"resource": self.arn, "input": arguments, "inputDetails": UNTRUNCATED, **durations}
        frame.record("LambdaFunctionScheduled", lambdaFunctionScheduledEventDetails=details)

    def started(self, frame: Frame) -> None:
        frame.record("LambdaFunctionStarted")

    async def call(self, host: Host, arguments: Any) -> Any:
        return (await host.invoke(self.arn, arguments)).payload

    def succeeded(self, frame: Frame, result: str) -> None:
        details = {"output": result, "outputDetails": UNTRUNCATED}
        frame.record("LambdaFunctionSucceeded", lambdaFunctionSucceededEventDetails=details)

    def failed(self, frame: Frame, error: StatesError) -> None:
        frame.record("LambdaFunctionFailed", lambdaFunctionFailedEventDetails=error.details())

    def timed_out(self, frame: Frame, error: StatesError) -> None:
        frame.record("LambdaFunctionTimedOut", lambdaFunctionTimedOutEventDetails=error.details())


class OptimizedIntegration:
    """A resource as `arn:aws:states:::<service>:<action>`."""

    service: str
    action: str

    @property
    def label(self) -> str:
        return self.service

    @property
    def _resource(self) -> dict[str, str]:
        return {"resourceType": self.service, "resource": self.action}

    def scheduled(self, frame: Frame, arguments: str, durations: Mapping[str, int]) -> None:
        details = {**self._resource, "region": REGION, "parameters": arguments, **durations}
        frame.record("TaskScheduled", taskScheduledEventDetails=details)

    def started(self, frame: Frame) -> None:
        frame.record("TaskStarted", taskStartedEventDetails=self._resource)

    def succeeded(self, frame: Frame, result: str) -> None:
        details = {**self._resource, "output": result, "outputDetails": UNTRUNCATED}
        frame.record("TaskSucceeded", taskSucceededEventDetails=details)

    def failed(self, frame: Frame, error: StatesError) -> None:
        frame.record("TaskFailed", taskFailedEventDetails=self._resource | error.details())

    def timed_out(self, frame: Frame, error: StatesError) -> None:
        frame.record("TaskTimedOut", taskTimedOutEventDetails=self._resource | error.details())


class LambdaInvoke(OptimizedIntegration):
    """https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html"""

    service, action = "lambda", "invoke"
    parameters = ("FunctionName", "Payload", "Qualifier", "InvocationType", "LogType")
    required: tuple[tuple[str, ...], ...] = (("FunctionName",),)

    async def call(self, host: Host, arguments: Any) -> Any:
        if not isinstance(arguments, dict) or not isinstance(arguments.get("FunctionName"), str):
            raise StatesError(
                "Lambda.ValidationException", "The parameter FunctionName must be the name of a function."
            )
        payload = arguments.get("Payload")
        try:
            response = await host.invoke(arguments["FunctionName"], {} if payload is None else _body(payload))
        except StatesError as error:
            raise StatesError(error.error, _compact(error.cause)) from None
        log = _log_result(response.request_id) if arguments.get("LogType") == "Tail" else ""
        headers = {
            "Connection": "keep-alive",
            "Content-Length": str(response.size),
            "Content-Type": "application/json",
            "X-Amz-Executed-Version": "$LATEST",
            **({"X-Amz-Log-Result": log} if log else {}),
            "X-Amzn-Trace-Id": f"Root=1-{int(time.time()):08x}-{response.request_id.replace('-', '')[:24]};Sampled=0",
            "x-amzn-Remapped-Content-Length": "0",
        }
        return {
            "ExecutedVersion": "$LATEST",
            **({"LogResult": log} if log else {}),
            "Payload": response.payload,
            **sdk_metadata(response.request_id, headers),
            "StatusCode": 200,
        }


def _body(payload: Any) -> Any:
    """Return what the function gets: a text is the JSON of the request itself, where it is JSON."""
    if not isinstance(payload, str):
        return payload
    try:
        return json.loads(payload, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return payload


def _no_json(name: str) -> NoReturn:
    raise ValueError(name)


def _compact(cause: str | None) -> str | None:
    """Return the error that the function's runtime reports as this integration passes it on: without blanks."""
    try:
        return dumps(json.loads(cause or ""))
    except ValueError:
        return cause


def _log_result(request_id: str) -> str:
    """Return the end of the log, in base64; of functions in this process, only Lambda's own lines are known."""
    lines = (f"START RequestId: {request_id} Version: $LATEST", f"END RequestId: {request_id}")
    return base64.b64encode("".join(line + "\n" for line in lines).encode()).decode()


class SnsPublish(OptimizedIntegration):
    """https://docs.aws.amazon.com/step-functions/latest/dg/connect-sns.html"""

    service, action = "sns", "publish"
    parameters = (
        "TopicArn",
        "TargetArn",
        "PhoneNumber",
        "Message",
        "Subject",
        "MessageAttributes",
        "MessageStructure",
        "MessageGroupId",
        "MessageDeduplicationId",
    )
    required: tuple[tuple[str, ...], ...] = (("Message",), ("TopicArn", "TargetArn", "PhoneNumber"))

    async def call(self, host: Host, arguments: Any) -> Any:
        if not isinstance(arguments, dict) or "Message" not in arguments:
            raise StatesError("SNS.InvalidParameterException", "The parameter Message is missing.")
        message = arguments["Message"]
        text = message if isinstance(message, str) else dumps(message)
        message_id = await host.publish({**arguments, "Message": text})
        ordered = str(arguments.get("TopicArn")).endswith(".fifo")
        length = "352" if ordered else "294"
        headers = {"Content-Length": length, "Content-Type": "text/xml", "connection": "keep-alive"}
        answer = {"MessageId": message_id, **sdk_metadata(str(uuid.uuid4()), headers)}
        if ordered:
            answer["SequenceNumber"] = str(10**19 + time.time_ns())  # 20 digits that grow
        return answer


def sdk_metadata(request_id: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return what the SDK tells of an answer, as Step Functions passes it on."""
    full = {**headers, "Date": email.utils.formatdate(usegmt=True), "x-amzn-RequestId": request_id}
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in full.items()},
            "HttpHeaders": full,
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": request_id},
    }


INTEGRATIONS: dict[str, type[LambdaInvoke] | type[SnsPublish]] = {
    "states:::lambda:invoke": LambdaInvoke,
    "states:::sns:publish": SnsPublish,
}
