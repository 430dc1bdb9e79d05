"""Lambda without Docker: the handler is loaded out of the zip that was deployed."""

import importlib.util
import inspect
import io
import json
import sys
import tempfile
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.contract.stand_in import roles

_loaded: dict[str, Callable[..., Any]] = {}


def invoke(function: Any, body: Any, _request_headers: Any, response_headers: Any) -> bytes:
    """In the place of `moto.awslambda.models.LambdaFunction.invoke`."""
    handler = _handler(function)
    context = SimpleNamespace(
        aws_request_id=str(uuid.uuid4()),
        function_name=function.function_name,
        invoked_function_arn=function.function_arn,
    )
    given = {
        "environ": lambda: function.environment_vars,
        "s3": lambda: roles.client("s3", function.role),
        "runtime": lambda: roles.client("sagemaker-runtime", function.role),
    }
    taken = {name: make() for name, make in given.items() if name in inspect.signature(handler).parameters}
    try:
        return json.dumps(handler(json.loads(body or "{}"), context, **taken)).encode()
    except Exception as error:
        response_headers["x-amz-function-error"] = "Unhandled"
        return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}).encode()


def _handler(function: Any) -> Callable[..., Any]:
    digest = function.code_sha_256
    if digest not in _loaded:
        folder = Path(tempfile.mkdtemp(prefix="deployed-"))
        zipfile.ZipFile(io.BytesIO(function.code_bytes)).extractall(folder)
        module, name = function.handler.split(".")
        _loaded[digest] = getattr(loaded(folder / f"{module}.py", f"deployed_{function.function_name}"), name)
    return _loaded[digest]


def loaded(file: Path, name: str) -> Any:
    """A module from its file."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
