"""The environment variables of the functions."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import WaiterError

from scones_core.aws.session import Aws
from scones_core.errors import Conflict, Unavailable

SUFFIX = "FunctionArn"


def names(aws: Aws) -> list[str]:
    """ARNs of the stack's functions."""
    return [value for name, value in sorted(aws.outputs.items()) if name.endswith(SUFFIX)]


def configure(aws: Aws, environment: Mapping[str, str]) -> None:
    """Set the given variables of each function, keep the others, and return once they are effective.

    Raises Conflict if a function is being changed concurrently.
    """
    changed = [function for function in names(aws) if _merge(aws, function, environment)]
    for function in changed:
        try:
            aws.functions.get_waiter("function_updated").wait(
                FunctionName=function, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
            )
        except WaiterError as error:
            raise Unavailable(f"The function {_short(function)} did not apply its new configuration.") from error


def environment(aws: Aws) -> Mapping[str, str]:
    """The variables that all functions have in common."""
    found = [_variables(aws.functions.get_function_configuration(FunctionName=name)) for name in names(aws)]
    return dict(set.intersection(*(set(variables.items()) for variables in found))) if found else {}


def _variables(configuration: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = configuration.get("Environment", {}).get("Variables", {})
    return found


def _merge(aws: Aws, function: str, environment: Mapping[str, str]) -> bool:
    """Write the variables unless the function has them; returns whether anything changed.

    Sends the revision that was read, so that no concurrent change is lost.
    """
    found = aws.functions.get_function_configuration(FunctionName=function)
    before = _variables(found)
    if environment.items() <= before.items():
        return False
    try:
        aws.functions.update_function_configuration(
            FunctionName=function,
            Environment={"Variables": {**before, **environment}},
            RevisionId=found["RevisionId"],
        )
    except Conflict as error:
        raise Conflict(
            f"The function {_short(function)} is being changed concurrently: try again in a minute."
        ) from error
    return True


def _short(function: str) -> str:
    return function.rpartition(":")[2]
