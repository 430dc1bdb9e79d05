"""The environment variables of the functions."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import WaiterError

from scones_core.aws.session import Aws
from scones_core.errors import Conflict, Unavailable

SUFFIX = "FunctionArn"
# Output of the stack → the variable that its function reads; the other functions read none.
READS = {"FilterLowConfidenceFunctionArn": "THRESHOLD", "ImageClassificationFunctionArn": "ENDPOINT_NAME"}


def names(aws: Aws) -> list[str]:
    """ARNs of the stack's functions."""
    return [value for name, value in sorted(aws.outputs.items()) if name.endswith(SUFFIX)]


def configurable(aws: Aws) -> list[str]:
    """ARNs of the functions that read a variable."""
    return [aws.output(name) for name in READS]


def configure(aws: Aws, environment: Mapping[str, str]) -> None:
    """Set the variables that functions read, keep the others, and return once they are effective.

    Raises Conflict if a function is being changed concurrently.
    """
    wanted = {aws.output(name): {key: environment[key]} for name, key in READS.items() if key in environment}
    changed = [function for function, variables in wanted.items() if _merge(aws, function, variables)]
    for function in changed:
        try:
            aws.functions.get_waiter("function_updated").wait(
                FunctionName=function, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
            )
        except WaiterError as error:
            raise Unavailable(f"The function {_short(function)} did not apply its new configuration.") from error


def environment(aws: Aws) -> Mapping[str, str]:
    """The variables that functions read, as far as they are set."""
    found = {key: _variables(_configuration(aws, aws.output(name))).get(key) for name, key in READS.items()}
    return {key: value for key, value in found.items() if value is not None}


def _configuration(aws: Aws, function: str) -> Mapping[str, Any]:
    return aws.functions.get_function_configuration(FunctionName=function)


def _variables(configuration: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = configuration.get("Environment", {}).get("Variables", {})
    return found


def _merge(aws: Aws, function: str, environment: Mapping[str, str]) -> bool:
    """Write the variables unless the function has them; returns whether anything changed.

    Sends the revision that was read, so that no concurrent change is lost.
    """
    found = _configuration(aws, function)
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
