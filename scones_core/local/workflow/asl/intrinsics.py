"""Intrinsic Functions: https://states-language.net/spec.html#intrinsic-functions — their syntax."""

import re
from collections.abc import Callable
from typing import Any

from scones_core.local.workflow.asl.errors import INTRINSIC_FAILURE, DefinitionError, RuntimeFailure, StateFailure
from scones_core.local.workflow.asl.intrinsic_functions import ARITY, FUNCTIONS
from scones_core.local.workflow.asl.jsontext import dumps, weight
from scones_core.local.workflow.asl.paths import PathError, compile_path
from scones_core.local.workflow.asl.scope import Scope

Evaluate = Callable[[Scope], Any]

MAX_ARGUMENTS = 2_000_000  # together; every function takes time and memory in proportion to them
_NAME = re.compile(r"\s*(States\.[A-Za-z0-9]+)\(")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_TEXT = re.compile(r"'((?:\\['{}\\]|[^'\\])*)'")  # a backslash before anything else is refused, as by AWS
_WORD = re.compile(r"(true|false|null)\b")
_WORDS = {"true": True, "false": False, "null": None}
_SPACE = re.compile(r"\s*")


def compile_intrinsic(text: str) -> Evaluate:
    """Return a function of the scope that calls the intrinsic. Raises DefinitionError on bad syntax."""
    parser = _Parser(text)
    evaluate = parser.call()
    parser.skip(_SPACE)
    if parser.position < len(text):
        raise DefinitionError(f"{text!r} is not an intrinsic function: nothing may follow its )")
    return evaluate


class _Parser:
    """Recursive descent over call := name "(" [argument {"," argument}] ")"."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def call(self) -> Evaluate:
        start = self.position
        name = self.expect(_NAME, "a name as States.Format and (")[1]
        if name not in FUNCTIONS:
            raise self.error(f"there is no function {name}")
        arguments = self.arguments()
        fewest, most = ARITY[name]
        if not fewest <= len(arguments) <= most:
            raise self.error(f"{name} does not take {len(arguments)} arguments")
        return _evaluation(name, arguments, self.text[start : self.position].strip())

    def arguments(self) -> list[Evaluate]:
        found: list[Evaluate] = []
        while not self.accept(")"):
            if found and not self.accept(","):
                raise self.error("the arguments must be separated by commas and end with )")
            found.append(self.argument())
        return found

    def argument(self) -> Evaluate:
        self.skip(_SPACE)
        if (text := self.skip(_TEXT)) is not None:
            return _constant(unescaped(text[1]))
        if self.text.startswith("'", self.position):
            raise self.error("a text must end with ', and have a backslash only before ', {, } or another one")
        if (word := self.skip(_WORD)) is not None:
            return _constant(_WORDS[word[1]])
        if (number := self.skip(_NUMBER)) is not None:
            return _constant(float(number[0]) if number[1] or number[2] else int(number[0]))
        return self.path() if self.text.startswith("$", self.position) else self.call()

    def path(self) -> Evaluate:
        """A path ends at the first comma or ) outside its own brackets and quotes."""
        start, depth, quote = self.position, 0, ""
        while self.position < len(self.text):
            character = self.text[self.position]
            if quote:
                quote = "" if character == quote else quote
            elif character in "'\"":
                quote = character
            elif not depth and character in ",)":
                break
            else:
                depth += (character in "[(") - (character in "])")
            self.position += 1
        return _path(self.text[start : self.position].strip())

    def accept(self, mark: str) -> bool:
        self.skip(_SPACE)
        found = self.text.startswith(mark, self.position)
        self.position += len(mark) if found else 0
        if self.position >= len(self.text) and not found:
            raise self.error(f"{mark} is missing at its end")
        return found

    def skip(self, pattern: "re.Pattern[str]") -> "re.Match[str] | None":
        found = pattern.match(self.text, self.position)
        self.position = found.end() if found else self.position
        return found

    def expect(self, pattern: "re.Pattern[str]", what: str) -> "re.Match[str]":
        found = self.skip(pattern)
        if found is None:
            raise self.error(f"it needs {what} at position {self.position}")
        return found

    def error(self, message: str) -> DefinitionError:
        return DefinitionError(f"{self.text!r} is not an intrinsic function: {message}")


def unescaped(text: str) -> str:
    r"""Return the literal with \' and \\ resolved; \{ and \} keep their backslash, for States.Format to see."""
    return re.sub(r"\\(.)", lambda found: found[1] if found[1] not in "{}" else found[0], text, flags=re.DOTALL)


def _constant(value: Any) -> Evaluate:
    return lambda scope: value


def _path(text: str) -> Evaluate:
    path = compile_path(text)

    def evaluate(scope: Scope) -> Any:
        try:
            return path.read(scope)
        except PathError:
            cause = (
                f"The JsonPath argument for the field '{text}' could not be found in the input '{dumps(scope.data)}'"
            )
            raise RuntimeFailure.because(cause) from None

    return evaluate


def _evaluation(name: str, arguments: list[Evaluate], text: str) -> Evaluate:
    function = FUNCTIONS[name]

    def evaluate(scope: Scope) -> Any:
        values = [argument(scope) for argument in arguments]
        try:
            scope.on_time()
            if weight(values, MAX_ARGUMENTS) > MAX_ARGUMENTS:
                raise ValueError(f"its arguments have more than {MAX_ARGUMENTS:,} characters")
            return function(*values)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            cause = f"The function '{text}' had the following error: {error}"
            raise StateFailure(INTRINSIC_FAILURE, cause) from None

    return evaluate
