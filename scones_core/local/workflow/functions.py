"""The Lambda functions of `lambdas/`, run in this process the way Lambda's Python runtime runs them."""

import importlib.util
import inspect
import json
import random
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scones_core.local.workflow.asl.errors import StatesError, refusal
from scones_core.local.workflow.asl.host import Response
from scones_core.local.workflow.asl.jsontext import MAX_DEPTH, MAX_PAYLOAD_BYTES, dumps, is_too_deep, size

ACCOUNT_ID = "000000000000"
_ARN = f"arn:aws:lambda:local:{ACCOUNT_ID}:function:"


def function_arn(name: str) -> str:
    return _ARN + name


def _request_id() -> uuid.UUID:
    # uuid.uuid4() asks the system for randomness, which takes longer than all the rest of a call.
    return uuid.UUID(int=random.getrandbits(128), version=4)


@dataclass(frozen=True)
class FunctionContext:
    """What Lambda passes as `context`: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    function_name: str
    aws_request_id: str = field(default_factory=lambda: str(_request_id()))
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "512"
    deadline: float = field(default_factory=lambda: time.monotonic() + 60)

    @property
    def invoked_function_arn(self) -> str:
        return function_arn(self.function_name)

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        return "local"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))


Function = Callable[[Any, FunctionContext, Mapping[str, str]], Any]


class Functions:
    """Functions by name. `environment` gives their environment variables at the time of a call."""

    def __init__(self, functions: Mapping[str, Function], environment: Callable[[], Mapping[str, str]]) -> None:
        self._functions = dict(functions)
        self._environment = environment

    def names(self) -> list[str]:
        return sorted(self._functions)

    def invoke(self, name_or_arn: str, payload: Any) -> Response:
        """Call a function and wait for it. Raises StatesError with Lambda's error name and cause."""
        function = self._functions.get(self._name(name_or_arn))
        if function is None:
            raise StatesError("Lambda.ResourceNotFoundException", _not_found(name_or_arn))
        context = FunctionContext(self._name(name_or_arn))
        # Through JSON, as between services: a function cannot change the caller's data, nor return a Python object.
        try:
            result = function(json.loads(dumps(payload)), context, self._environment())
        except SystemExit as error:  # would end the thread that runs all executions
            raise StatesError("Runtime.ExitError", _exited(context.aws_request_id, error)) from error
        except BaseException as error:  # a worker's thread outlives whatever a function raises
            raise StatesError(type(error).__name__, cause(error, context.aws_request_id)) from error
        text = _marshalled(result, context.aws_request_id)
        return Response(json.loads(text), context.aws_request_id, size(text))

    def _name(self, name_or_arn: str) -> str:
        """Return the bare name: an ARN or a name may carry a version or an alias."""
        parts = str(name_or_arn).split(":")
        return parts[6] if len(parts) > 6 else parts[0]


def _not_found(name: str) -> str:
    arn = name if name.startswith("arn:") else function_arn(name)
    arn += "" if len(arn.split(":")) > 7 else ":$LATEST"
    return refusal(f"Function not found: {arn}", "AWSLambda", 404, "ResourceNotFoundException", str(uuid.uuid4()))


def _exited(request_id: str, error: SystemExit) -> str:
    message = f"RequestId: {request_id} Error: Runtime exited with error: exit status {error.code or 0}"
    return dumps({"errorMessage": message, "errorType": "Runtime.ExitError"})


def _marshalled(result: Any, request_id: str) -> str:
    """Return the result's JSON text; bytes are taken for it."""
    try:
        if isinstance(result, bytes):  # those that are too large are refused by their size, whatever they hold
            result = json.loads(result) if len(result) <= MAX_PAYLOAD_BYTES else result.decode("latin-1")
        text = json.dumps(result, allow_nan=False, ensure_ascii=False)
        if is_too_deep(result, text):
            raise ValueError(f"more than {MAX_DEPTH} levels of objects and arrays")
        return text
    except (TypeError, ValueError, RecursionError) as error:
        message = f"Unable to marshal response: {error}"
        envelope = {
            "errorMessage": message,
            "errorType": "Runtime.MarshalError",
            "requestId": request_id,
            "stackTrace": [],
        }
        raise StatesError("Runtime.MarshalError", _reported(envelope)) from error


def cause(error: BaseException, request_id: str) -> str:
    """Return the error as Lambda's Python runtime reports it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return _reported(
        {
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "requestId": request_id,
            "stackTrace": traceback.format_list([_as_deployed(frame) for frame in frames]),
        }
    )


def _reported(envelope: Mapping[str, Any]) -> str:
    """Return the runtime's own text, which has blanks after : and ,."""
    return json.dumps(envelope, ensure_ascii=False)


def _as_deployed(frame: traceback.FrameSummary) -> traceback.FrameSummary:
    """Show the file where Lambda has it, so that no path of this machine reaches the screen."""
    file = "/var/task/" + Path(frame.filename).name
    return traceback.FrameSummary(file, frame.lineno, frame.name, lookup_line=False, line=frame.line)


def load_handlers(folder: Path, clients: Mapping[str, Any]) -> dict[str, Function]:
    """Return the functions of `folder/<name>/handler.py`, each with the clients that its signature names.

    clients : keyword argument of a handler → client, as {"s3": …, "runtime": …}.
    """
    return {file.parent.name: _bound(_load(file), clients) for file in sorted(folder.glob("*/handler.py"))}


def _load(file: Path) -> Callable[..., Any]:
    name = f"lambdas_{file.parent.name}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    handler: Callable[..., Any] = module.handler
    return handler


def _bound(handler: Callable[..., Any], clients: Mapping[str, Any]) -> Function:
    named = inspect.signature(handler).parameters
    given = {name: client for name, client in clients.items() if name in named}

    def call(event: Any, context: FunctionContext, environ: Mapping[str, str]) -> Any:
        return handler(event, context, **given, **({"environ": environ} if "environ" in named else {}))

    return call
