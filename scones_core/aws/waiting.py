"""Waiting for an endpoint, which takes minutes, until it is in a status that it does not leave by itself."""

from typing import Any

from botocore.exceptions import WaiterError
from botocore.waiter import WaiterModel, create_waiter_with_client

from scones_core.aws.session import Aws
from scones_core.errors import NotFound, Unavailable

LONGEST = 2 * 3600  # seconds for a change; a container alone may take an hour to start
# DescribeEndpoint in the API reference. In the last of them it serves, with instances of two configurations.
AT_REST = {"InService": "success", "Failed": "failure", "OutOfService": "failure", "UpdateRollbackFailed": "failure"}
# botocore's own waiter knows no failure but Failed.
WAITERS = WaiterModel(
    {
        "version": 2,
        "waiters": {
            "EndpointAtRest": {
                "operation": "DescribeEndpoint",
                "delay": 15,
                "maxAttempts": 480,
                "acceptors": [
                    {"matcher": "path", "argument": "EndpointStatus", "expected": status, "state": state}
                    for status, state in AT_REST.items()
                ],
            }
        },
    }
)


def until_in_service(aws: Aws, name: str, *, poll: float) -> None:
    """Raises Unavailable if the endpoint fails, or takes too long; NotFound if somebody deletes it."""
    try:
        _wait(create_waiter_with_client("EndpointAtRest", WAITERS, aws.sagemaker), name, poll)
    except WaiterError as error:
        found = aws.endpoint(name)
        reason = found.get("FailureReason", f"it is {found['EndpointStatus']}") if found else "it no longer exists"
        raise Unavailable(f"The endpoint “{name}” did not come into service: {reason}") from error


def until_deleted(aws: Aws, name: str, *, poll: float) -> None:
    """Raises Unavailable."""
    try:
        _wait(aws.sagemaker.get_waiter("endpoint_deleted"), name, poll)
    except NotFound:
        return
    except WaiterError as error:
        raise Unavailable(f"The endpoint “{name}” could not be deleted: delete it in SageMaker.") from error


def _wait(waiter: Any, name: str, poll: float) -> None:
    most = max(1, round(LONGEST / poll))
    waiter.wait(EndpointName=name, WaiterConfig={"Delay": poll, "MaxAttempts": most})
