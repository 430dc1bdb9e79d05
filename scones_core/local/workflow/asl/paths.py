"""Paths and Reference Paths: https://states-language.net/spec.html#path

`$.a.b` reads the data, `$$.a` the Context Object and `$name.a` a variable. A definite path gives one value, any other
the list of its matches, as in Jayway's JSONPath, which Step Functions uses; the messages are Jayway's too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scones_core.local.workflow.asl.errors import DefinitionError, RuntimeFailure
from scones_core.local.workflow.asl.scope import Scope

_ROOT = re.compile(r"\$\$|\$(?P<variable>[^\W\d]\w*)|\$")
# A step of a definite path: .name (in which a backslash takes the meaning from the next character), [0], ['name']
_STEP = re.compile(
    r"""\.(?P<name>(?:\\.|[^\s\\.\[\]()*?@,:'"$&|])+)
    | \[(?P<index>-?\d+)\]
    | \[(?P<quote>['"])(?P<quoted>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\]""",
    re.X,
)
_ESCAPE = re.compile(r"\\(.)")

Step = str | int


class PathError(Exception):
    """A definite path leads to nothing in the data; the text says why, in Jayway's words."""


@dataclass(frozen=True)
class Path:
    """A compiled path. `steps` is set for a definite path, `query`, a path from `$` on, for any other."""

    text: str
    root: str
    steps: tuple[Step, ...] | None
    query: str = ""
    cheap: bool = True

    def read(self, scope: Scope) -> Any:
        """Return what the path selects.

        Raises PathError when a definite path finds nothing, RuntimeFailure when another cannot be evaluated.
        """
        document = self._document(scope)
        if self.steps is not None:
            return walk(document, self.steps)
        try:
            scope.on_time()
            if not self.cheap:
                return scope.elsewhere("JSONPath", self.query, document)
            from scones_core.local.queries import jsonpath_  # slow to import, and rarely needed

            return jsonpath_.matches(self.query, document)
        except (ValueError, RecursionError) as error:
            raise RuntimeFailure.because(f"The JSONPath '{self.text}' could not be evaluated: {error}.") from None

    def _document(self, scope: Scope) -> Any:
        if self.root == "$":
            return scope.data
        if self.root == "$$":
            return dict(scope.context)  # which changes with the next state, unlike what was read from it
        if self.root[1:] in scope.variables:
            return scope.variables[self.root[1:]]
        raise PathError(f"The variable {self.root} has no value")


def walk(document: Any, steps: Sequence[Step]) -> Any:
    value = document
    for place, step in enumerate(steps):
        find = _property if isinstance(step, str) else _element
        value = find(value, steps, place)
    return value


def _property(value: Any, steps: Sequence[Step], place: int) -> Any:
    name = steps[place]
    if not isinstance(value, dict):
        raise PathError(
            f"Expected to find an object with property ['{name}'] in path {bracketed(steps[:place])} but found "
            f"'{json_type(value)}'. This is not a json object."
        )
    if name not in value:
        last = place == len(steps) - 1
        raise PathError(
            ("No results for path: " if last else "Missing property in path ") + bracketed(steps[: place + 1])
        )
    return value[name]


def _element(value: Any, steps: Sequence[Step], place: int) -> Any:
    index = int(steps[place])
    if not isinstance(value, list):
        raise PathError(f"Filter: [{index}] can only be applied to arrays. Current context is: {json_type(value)}")
    if not -len(value) <= index < len(value):
        raise PathError(f"No results for path: {bracketed(steps[: place + 1])}")
    return value[index]


def json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "number", float: "number", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value), "undefined")


def bracketed(steps: Sequence[Step]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f"['{step}']" for step in steps)


def compile_path(text: Any) -> Path:
    """Return the compiled path. Raises DefinitionError when it is not one."""
    if not isinstance(text, str):
        raise DefinitionError(f"{text!r} is not a path, which is a text")
    return _compiled(text)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Path:
    root = _ROOT.match(text)
    if root is None:
        raise DefinitionError(f"{text!r} is not a path, which must begin with $")
    rest = text[root.end() :]
    steps = definite_steps(rest)
    if steps is not None:
        return Path(text, root.group(), steps)
    from scones_core.local.queries import costs, jsonpath_

    try:
        cheap = costs.is_cheap_path(jsonpath_.compiled("$" + rest))
    except ValueError as error:
        raise DefinitionError(f"{text!r} is not a path: {error}") from None
    return Path(text, root.group(), None, "$" + rest, cheap)


def definite_steps(rest: str) -> tuple[Step, ...] | None:
    """Return the names and indices of a definite path, or None when it is not one."""
    steps: list[Step] = []
    position = 0
    while position < len(rest):
        step = _STEP.match(rest, position)
        if step is None:
            return None
        steps.append(_value(step))
        position = step.end()
    return tuple(steps)


def _value(step: "re.Match[str]") -> Step:
    if step["index"] is not None:
        return int(step["index"])
    if step["name"] is not None:
        return _ESCAPE.sub(r"\1", step["name"])
    # Between quotes, a backslash is written before these quotes and itself; before anything else it stays.
    return re.sub(rf"\\([\\{step['quote']}])", r"\1", step["quoted"])


@dataclass(frozen=True)
class ReferencePath:
    """A path that names exactly one place of the data, to which a value can be written."""

    text: str
    steps: tuple[Step, ...]

    def write(self, document: Any, value: Any) -> Any:
        """Return a copy of `document` with `value` at this place. Raises PathError when there is no such place."""
        return _written(document, self.steps, value)


def reference_path(text: Any) -> ReferencePath:
    """Return the compiled Reference Path. Raises DefinitionError when it is none."""
    path = compile_path(text)
    if path.root != "$" or path.steps is None or any(isinstance(step, int) and step < 0 for step in path.steps):
        raise DefinitionError(f"{text!r} is not a Reference Path, which names one place of the data, as $.a.b does")
    return ReferencePath(text, path.steps)


def _written(document: Any, steps: tuple[Step, ...], value: Any) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        if not isinstance(document, list) or step >= len(document):
            raise PathError(str(step))
        return [*document[:step], _written(document[step], rest, value), *document[step + 1 :]]
    if not isinstance(document, dict):
        raise PathError(step)
    return document | {step: _written(document.get(step, {}), rest, value)}
