"""State machine definitions: built-in ones in `infra/`, custom ones in the home folder."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scones_core.errors import BadDefinition, NotFound
from scones_core.local.files import Parsed, write_atomically
from scones_core.local.workflow.asl.compile import compile_machine
from scones_core.local.workflow.asl.errors import DefinitionError
from scones_core.local.workflow.asl.state import StateMachine
from scones_core.local.workflow.functions import function_arn

SUFFIX = ".asl.json"
MAX_BYTES = 1_048_576  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)FunctionArn\}")


@dataclass(frozen=True)
class Compiled:
    """A machine, and the text it was compiled from."""

    text: str
    machine: StateMachine


class Definitions:
    """Definitions by name; one that a user put hides the built-in one of the same name."""

    def __init__(self, builtin: Path, own: Path) -> None:
        self._builtin = builtin
        self._own = own
        self._compiled = Parsed(lambda data, _file: _compiled(data))

    def names(self) -> Sequence[str]:
        files = [*self._builtin.glob("*" + SUFFIX), *self._own.glob("*" + SUFFIX)]
        return sorted({file.name.removesuffix(SUFFIX) for file in files})

    def definition(self, machine: str) -> Mapping[str, Any]:
        """Return the definition as it stands in the file, with its substitutions still open. Raises BadDefinition."""
        self.compiled(machine)  # raises what is wrong with it
        given: Mapping[str, Any] = json.loads(Path(self._file(machine)).read_bytes())
        return given

    def put(self, machine: str, definition: Mapping[str, Any]) -> None:
        if not _NAME.fullmatch(machine):
            raise BadDefinition(f"{machine!r} is not a valid state machine name: use 1 to 80 letters, digits, - and _.")
        with _naming(machine):
            text = json.dumps(definition, indent=2, ensure_ascii=False, allow_nan=False).encode()
            _compiled(text)
        write_atomically(self._own / (machine + SUFFIX), text)

    def compiled(self, name: str) -> Compiled:
        """Raises NotFound, BadDefinition."""
        file = self._file(name)
        with _naming(name):
            return self._compiled.read(file)

    def _file(self, machine: str) -> str:
        if _NAME.fullmatch(machine):
            for folder in (self._own, self._builtin):
                if os.path.exists(file := f"{folder}/{machine}{SUFFIX}"):
                    return file
        raise NotFound(f"No state machine {machine!r}: choose one of {', '.join(self.names()) or 'none'}.")


@contextmanager
def _naming(machine: str) -> Iterator[None]:
    """Raise BadDefinition with the machine's name in the place of what compiling raises."""
    try:
        yield
    except (DefinitionError, ValueError, TypeError) as error:
        text = str(error)
        raise BadDefinition(f"State machine {machine!r}: {text if len(text) < 500 else text[:500] + '…'}") from None
    except RecursionError:
        raise BadDefinition(f"State machine {machine!r}: it is nested too deeply; flatten it.") from None


def _compiled(data: bytes) -> Compiled:
    if len(data) > MAX_BYTES:
        raise DefinitionError(f"The definition has more than {MAX_BYTES:,} bytes: divide it into several machines.")
    text = data.decode()
    return Compiled(text, compile_machine(json.loads(substituted(text))))


def substituted(text: str) -> str:
    """Put local ARNs in the place of the SAM template's `${SerializeImageDataFunctionArn}` and the like."""
    named: Callable[[re.Match[str]], str] = lambda found: function_arn(snake_case(found[1]))  # noqa: E731
    return _PLACEHOLDER.sub(named, text)


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
