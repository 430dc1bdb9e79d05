"""One JSONata expression of a state, with the restrictions that Step Functions sets.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

import threading
from collections.abc import Callable, Collection
from typing import Any

from scones_core.local.queries.limits import NoValue
from scones_core.local.workflow.asl.errors import DefinitionError, QueryFailure
from scones_core.local.workflow.asl.jsonata_syntax import references_to_input, states_fields, variables
from scones_core.local.workflow.asl.scope import Scope

Evaluate = Callable[[Scope], Any]

# A compiled expression keeps the state of its evaluation, and may be in use by several threads.
_in_place = threading.Lock()


def compile_expression(text: str, location: str, accessible: Collection[str] = ()) -> Evaluate:
    """Return a function of the scope that gives the value. Raises DefinitionError on bad syntax.

    accessible : which of `$states.result` and `$states.errorOutput` the field may refer to
    """
    from scones_core.local.queries import costs, jsonata_  # slow to import, and not every machine has an expression

    tree = parsed(text, accessible)
    cheap, names, fields = costs.is_cheap_expression(tree), set(variables(tree)), _fields_used(tree)
    said = f"The JSONata expression '{text}' specified for the field '{location}'"

    def evaluate(scope: Scope) -> Any:
        bindings = {name: value for name, value in scope.variables.items() if name in names}
        if "states" in names:
            states = {"input": scope.input, "context": scope.context, **scope.states}
            bindings["states"] = {name: states[name] for name in states if fields is None or name in fields}
        try:
            scope.on_time()
            if not cheap:
                return scope.elsewhere("JSONata", text, bindings)
            with _in_place:
                return jsonata_.value_of(text, bindings)
        except NoValue as nothing:
            raise QueryFailure.at(location, f"{said} {nothing}") from None
        except (ValueError, RecursionError) as error:
            raise QueryFailure.at(location, f"{said} threw an error during evaluation. {error}") from None

    return evaluate


def parsed(text: str, accessible: Collection[str]) -> Any:
    """Return the syntax tree. Raises DefinitionError."""
    from scones_core.local.queries import jsonata_

    try:
        tree = jsonata_.compiled(text).ast
    except ValueError as error:
        raise DefinitionError(f"{text!r} is not JSONata: {error}") from None
    for name in references_to_input(tree, nested=False):
        raise DefinitionError(
            f"{text!r} refers to {name}, which Step Functions does not provide: use $states or a variable"
        )
    for name in {"result", "errorOutput"} & set(states_fields(tree)) - set(accessible):
        raise DefinitionError(f"{text!r} refers to $states.{name}, which this field has no access to")
    return tree


def _fields_used(tree: Any) -> set[str] | None:
    """Return which fields of `$states` the expression needs; None for all of them."""
    fields = list(states_fields(tree))
    return set(fields) if list(variables(tree)).count("states") == len(fields) else None
