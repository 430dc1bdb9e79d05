"""State machine definitions: built-in and custom."""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from scones_core.errors import BadInput
from scones_core.ports import Execution
from scones_core.services import batch, classification
from scones_core.services.app import App

FIRST, BATCH = classification.MACHINE, batch.MACHINE
BUILT_IN = (FIRST, BATCH)
LONGEST_NAME = 80  # https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


def names(app: App) -> Sequence[str]:
    return app.backend.machines.names()


def definition(app: App, machine: str) -> Mapping[str, Any]:
    """A definition in the Amazon States Language. Raises NotFound."""
    return app.backend.machines.definition(machine)


def put(app: App, machine: str, text: str) -> str:
    """Create or replace a state machine from the JSON text of its definition; returns its name.

    Raises BadInput for an invalid name or text, BadDefinition naming the state and the field.
    """
    machine = machine.strip()
    if not _NAME.fullmatch(machine):
        raise BadInput(f"“{machine[:100]}” is not a valid name: use 1 to {LONGEST_NAME} letters, digits, - and _.")
    if machine in BUILT_IN:
        raise BadInput(f"“{machine}” is built in and cannot be changed: choose another name.")
    app.backend.machines.put(machine, _parsed(text, "definition"))
    return machine


def start(app: App, machine: str, input_text: str) -> Execution:
    """Start an execution with the JSON text as its input. Raises BadInput, NotFound."""
    name = f"{machine[:60]}-{uuid.uuid4().hex[:12]}"
    return app.backend.workflows.start(machine, name, _parsed(input_text, "input"))


def definition_text(app: App, machine: str) -> str:
    """The definition as JSON text, for editing. Raises NotFound."""
    return json.dumps(definition(app, machine), indent=2, ensure_ascii=False)


def example_input(app: App, machine: str = FIRST, *, key: str) -> str:
    """An example input as JSON text, for the image under `key` if the machine takes one image."""
    bucket = app.backend.objects.bucket
    if machine == BATCH:
        return json.dumps({"s3_bucket": bucket, "s3_prefix": "test/", "max_items": 50}, indent=2)
    return json.dumps({"image_data": "", "s3_bucket": bucket, "s3_key": key}, indent=2)


def _parsed(text: str, what: str) -> Any:
    if not text.strip():
        raise BadInput(f"The {what} is empty: enter JSON.")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadInput(f"The {what} is not JSON: {error.msg} in {where}.") from None
    except (ValueError, RecursionError):
        raise BadInput(f"The {what} cannot be read: a number is too large, or the nesting too deep.") from None
