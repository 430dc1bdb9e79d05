"""The state machine definitions: those of `infra/`, and those that users put into the home folder."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scones_core.errors import BadDefinition, NotFound
from scones_core.local.files import write_atomically
from scones_core.local.workflow.asl.compile import compile_machine
from scones_core.local.workflow.asl.errors import DefinitionError
from scones_core.local.workflow.asl.state import StateMachine
from scones_core.local.workflow.functions import function_arn

SUFFIX = ".asl.json"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)FunctionArn\}")


class Machines:
    """Definitions by name; one that a user put hides the built-in one of the same name."""

    def __init__(self, builtin: Path, own: Path) -> None:
        self._builtin = builtin
        self._own = own
        self._compiled: dict[str, tuple[str, StateMachine]] = {}

    def names(self) -> Sequence[str]:
        files = [*self._builtin.glob("*" + SUFFIX), *self._own.glob("*" + SUFFIX)]
        return sorted({file.name.removesuffix(SUFFIX) for file in files})

    def definition(self, machine: str) -> Mapping[str, Any]:
        """Return the definition as it stands in the file, with its substitutions still open."""
        given: Mapping[str, Any] = json.loads(self._text(machine))
        return given

    def put(self, machine: str, definition: Mapping[str, Any]) -> None:
        if not _NAME.fullmatch(machine):
            raise BadDefinition(f"{machine!r} cannot name a state machine: use 1 to 80 letters, digits, - and _.")
        text = json.dumps(definition, indent=2, ensure_ascii=False)
        compiled(machine, text)
        self._own.mkdir(parents=True, exist_ok=True)
        write_atomically(self._own / (machine + SUFFIX), text.encode())

    def machine(self, name: str) -> StateMachine:
        """Return the compiled machine. Raises NotFound, BadDefinition."""
        text = self._text(name)
        known = self._compiled.get(name)
        if known is None or known[0] != text:
            known = self._compiled[name] = (text, compiled(name, text))
        return known[1]

    def _text(self, machine: str) -> str:
        for folder in (self._own, self._builtin):
            try:
                if _NAME.fullmatch(machine):
                    return (folder / (machine + SUFFIX)).read_text("utf-8")
            except FileNotFoundError:
                continue
        raise NotFound(f"There is no state machine {machine!r}; there are: {', '.join(self.names()) or 'none'}.")


def compiled(name: str, text: str) -> StateMachine:
    try:
        return compile_machine(json.loads(substituted(text)))
    except (DefinitionError, ValueError) as error:
        raise BadDefinition(f"State machine {name!r}: {error}") from None


def substituted(text: str) -> str:
    """Put local ARNs in the place of the SAM template's `${SerializeImageDataFunctionArn}` and the like."""
    named: Callable[[re.Match[str]], str] = lambda found: function_arn(snake_case(found[1]))  # noqa: E731
    return _PLACEHOLDER.sub(named, text)


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
