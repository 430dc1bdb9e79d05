"""The library `jsonata-python` 0.7.1 brought to JSONata's reference 2.0.6, which Step Functions uses.

The library follows later versions and Java's port. Functions are replaced by its public hooks; where it has none, this
module replaces attributes of the library, all of them in `_adapt` at its end. So the version is pinned.
"""

import inspect
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import jsonata  # type: ignore[import-untyped]
from jsonata import tokenizer
from jsonata.functions import Functions  # type: ignore[import-untyped]
from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.signature import Signature  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from scones_core.local.queries import jsonata_arrays, jsonata_formats
from scones_core.local.queries import jsonata_strings as strings

MAX_DEPTH = 400  # nodes within each other; deeper ones end Python
_ELEMENTS = {"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings"}


class Expression(jsonata.Jsonata):  # type: ignore[misc]
    """A compiled expression. `functions`: what `natives` gives, in addition to the built-in ones."""

    input: Any
    environment: Any

    def __init__(self, text: str, functions: Mapping[str, Any]) -> None:
        try:
            super().__init__(text, strings.Regex)
        except KeyError as error:
            raise JException("S0204", -1, error.args[0]) from None
        except RuntimeError as error:  # which has the text of a message alone
            code = next((code for code, message in JException.error_codes.items() if message == str(error)), None)
            raise JException(code, -1) if code else error from None
        self.depth = 0
        self.set_output_convert_nulls(False)  # to tell null from nothing
        self.set_validate_input(False)  # which is JSON
        for name, function in {**_FUNCTIONS, **functions}.items():
            self.register_function(name, function)

    def eval(self, expr: Any, input: Any, environment: Any) -> Any:
        """Evaluate a node; the library's own count of the depth is wrong with functions inside of constructors."""
        before = self.input, self.environment
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                raise JException("D1011", -1)
            return self._eval(expr, input, environment)
        finally:
            self.depth -= 1
            self.input, self.environment = before

    def evaluate_function(self, expr: Any, input: Any, environment: Any, applyto: Any) -> Any:
        try:
            return super().evaluate_function(expr, input, environment, applyto)
        except JException as error:
            if error.error == "T1010":
                raise JException("T1010", -1, expr.procedure.value) from None
            raise

    def evaluate_partial_application(self, expr: Any, input: Any, environment: Any) -> Any:
        try:
            return super().evaluate_partial_application(expr, input, environment)
        except JException as error:
            name = expr.procedure.steps[0].value if expr.procedure.type == "path" else None
            if error.error == "T1008" and name and environment.lookup(name) is not None:
                raise JException("T1007", -1, name) from None
            raise

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: str) -> Any:
        if op in ("/", "%") and Utils.is_numeric(lhs) and Utils.is_numeric(rhs):
            if rhs == 0:  # Infinity or NaN, which no JSON has, but a condition may never look at it
                return math.nan if op == "%" or lhs == 0 else math.copysign(math.inf, lhs) * math.copysign(1, rhs)
            if op == "%":
                return Utils.convert_number(math.fmod(lhs, rhs))
        return super().evaluate_numeric_expression(lhs, rhs, op)

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> bool:
        if lhs is None or rhs is None:
            return False
        return any(_is_same(lhs, item) for item in (rhs if isinstance(rhs, list) else [rhs]))

    def evaluate_comparison_expression(self, lhs: Any, rhs: Any, op: str) -> Any:
        try:
            return super().evaluate_comparison_expression(lhs, rhs, op)
        except JException as error:
            raise JException(error.error, -1, *([op] if error.error == "T2010" else [lhs, rhs, op])) from None

    def evaluate_sort_expression(self, expr: Any, input: Any, environment: Any) -> Any:
        items = input if isinstance(input, list) or input is None else Utils.create_sequence(input)
        return super().evaluate_sort_expression(expr, items, environment)

    def evaluate_filter(self, predicate: Any, input: Any, environment: Any) -> Any:
        if predicate.type == "number" and isinstance(predicate.value, float):
            predicate.value = math.floor(predicate.value)
        return super().evaluate_filter(predicate, input, environment)


class Native(jsonata.Jsonata.JFunction):  # type: ignore[misc]
    """A function of Python as expressions call it."""

    def __init__(self, name: str, signature: str, function: Callable[..., Any]) -> None:
        super().__init__(jsonata.Jsonata.JLambda(function), signature)
        self.function_name = name
        self.signature.set_function_name(name)
        parameters = inspect.signature(function).parameters.values()
        self._arguments = sum(one.kind is one.POSITIONAL_OR_KEYWORD for one in parameters)

    def get_number_of_args(self) -> int:
        """Return how many arguments $map and the like pass."""
        return self._arguments


def natives(functions: Mapping[str, tuple[str, Callable[..., Any]]]) -> dict[str, Any]:
    """Return functions as expressions call them.

    functions : name → (signature, implementation); https://docs.jsonata.org/2.0.0/embedding-extending
    """
    return {name: Native(name, signature, function) for name, (signature, function) in functions.items()}


def _is_same(one: Any, other: Any) -> bool:
    """JavaScript's ===, as far as JSON has it."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


_FUNCTIONS = natives(
    {
        **jsonata_formats.FUNCTIONS,
        "power": ("<n-n:n>", strings.power),
        "string": ("<x-b?:s>", lambda value, *prettify: strings.string(value, *prettify)),
        "number": ("<(nsb)-:n>", strings.number),
        "contains": ("<s-(sf):b>", strings.contains),
        "match": ("<s-f<s:o>n?:a<o>>", strings.match),
        "replace": ("<s-(sf)(sf)n?:s>", strings.replace),
        "split": ("<s-(sf)n?:a<s>>", strings.split),
        "toMillis": ("<s-s?:n>", strings.to_millis),
        "sort": ("<af?:a>", jsonata_arrays.sort),
        "distinct": ("<x:x>", jsonata_arrays.distinct),
    }
)


class Tokens(tokenizer.Tokenizer):  # type: ignore[misc]
    """Without ?: and ??, which are of later versions; a pair of \\u escapes is one character."""

    def __init__(self, path: str, *more: Any) -> None:
        super().__init__(path, *more)
        self.path += "\0\0"  # the library looks ahead, beyond `length`

    def next(self, prefix: bool) -> Any:
        try:
            token = super().next(prefix)
        except JException as error:
            if error.error == "S0301" and error.current is not None:  # no empty regular expression
                raise JException("S0103", -1, error.current) from None
            raise
        if token is not None and token.type == "operator" and token.value in ("?:", "??"):
            self.position -= 1
            return self.create("operator", "?")
        if token is not None and token.type == "string" and any("\ud800" <= one <= "\udbff" for one in token.value):
            token.value = token.value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        return token


def _message(code: str, location: int, *values: Any, details: bool = False) -> str:
    """Return the reference's message, with values as JSON text."""
    if code == "D3100":
        values = (location,)  # where the library puts the radix
    if code == "D1002":
        values = values[1:]
    if code == "D3137" and not values[0]:
        values = ("$error() function evaluated",)
    left = iter(values)

    def shown(found: "re.Match[str]") -> str:
        value = next(left, None)
        if found[0].startswith("{{{"):
            return f"{value}"
        if value is None:
            return "undefined"
        if isinstance(value, float) and not math.isfinite(value):
            return "null"
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(strings.string(value))

    return re.sub(r"\{\{\{?\w+\}?\}\}", shown, JException.error_codes.get(code, code))


def _adapt() -> None:
    """Replace what the library has no hook for."""
    jsonata_formats.adapt()
    tokenizer.Tokenizer = Tokens
    JException.msg = staticmethod(_message)
    for code, text in JException.error_codes.items():
        JException.error_codes[code] = text.replace("Object", "function").replace('"', "'")
    Functions.sort = staticmethod(jsonata_arrays.sort)
    Functions.string = staticmethod(strings.string)
    symbol, validate, apply_, arity = (
        Signature.get_symbol,
        Signature.validate,
        Functions.func_apply,
        Functions.get_function_arity,
    )
    Signature.get_symbol = lambda self, value: "l" if value is Utils.NULL_VALUE else symbol(self, value)

    def validated(self: Any, args: Any, context: Any) -> Any:
        try:
            return validate(self, args, context)
        except JException as error:
            if error.error == "T0411":
                raise JException("T0411", -1, error.expected, self.function_name) from None
            if error.error == "T0412":
                kind = _ELEMENTS.get(str(error.extra)[:1])
                raise JException("T0412", -1, error.current, self.function_name, kind) from None
            raise

    def applied(function: Any, args: Any) -> Any:
        """A function handed to $map and the like checks and completes its arguments as in a call."""
        given = function.validate(args, None) if isinstance(function, jsonata.Jsonata.JFunction) else args
        return apply_(function, given)

    def counted(function: Any) -> Any:
        if isinstance(function, jsonata.Jsonata.JNativeFunction | Native):
            return function.get_number_of_args()
        if isinstance(function, jsonata.Jsonata.JFunction):  # a transformation
            return 1
        return arity(function)

    def refused(self: Any, args: Any, given: str, name: str) -> None:
        """Name the first argument that does not match; the library matches each prefix of the signature in full."""
        pattern, good = "", 0
        for param in self._params:
            pattern += param.regex
            found = re.match(pattern, given)
            if found is None:
                break
            good = found.end()
        raise JException("T0410", -1, good + 1, None if name == "lambda" else name)

    def looked_up(self: Any, name: str) -> Any:
        """Return a variable's value; nobody binds the hooks that the library asks for at every node."""
        frame = None if name.startswith("__evaluate_") else self
        while frame is not None:
            if name in frame.bindings:
                return frame.bindings[name]
            frame = frame.parent
        return None

    def bind(self: Any, name: str, value: Any) -> None:
        """A function keeps its own name in messages, by whatever name it is called."""
        self.bindings[name] = value
        if Functions.is_lambda(value) and value.signature is not None:
            value.signature.set_function_name(name)

    Signature.throw_validation_error = refused
    jsonata.Jsonata.Frame.bind, jsonata.Jsonata.Frame.lookup = bind, looked_up
    Signature.validate = validated
    Functions.func_apply = staticmethod(applied)
    Functions.get_function_arity = staticmethod(counted)


_adapt()
