"""Checks of AWS for `doctor`. Each returns its finding, or raises the error that says what is missing."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from scones_core.aws import functions, permissions
from scones_core.aws.algorithms import Hardware
from scones_core.aws.costs import SageMakerCosts
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.session import Aws
from scones_core.errors import NotFound, SconesError, Unavailable

Check = tuple[str, Callable[[], str]]
OUTPUTS = (
    "BucketName",
    "ClassifyImageStateMachineArn",
    "FailureNotifications",
    "FailureTopicArn",
    "FilterLowConfidenceFunctionArn",
    "ImageClassificationFunctionArn",
    "RollbackAlarms",
    "SageMakerRoleArn",
    "SerializeImageDataFunctionArn",
    "StateMachineRoleArn",
)
SIMULATION = ("iam:SimulatePrincipalPolicy", "iam:GetRole")


def checks(aws: Aws, objects: S3ObjectStore, machines: Hardware, endpoint: str) -> Sequence[Check]:
    """Names of the checks, and the checks."""
    return [
        ("AWS identity", lambda: _identity(aws)),
        ("AWS stack", lambda: _stack(aws, endpoint)),
        ("AWS bucket", lambda: _bucket(aws, objects)),
        ("AWS functions", lambda: _functions(aws)),
        ("AWS may read and stop", lambda: permissions.tried(aws, endpoint)),
        ("AWS may train and deploy", lambda: _simulated(aws, endpoint, scaling=machines.most_instances > 1)),
        ("AWS quotas", lambda: _quotas(aws, machines)),
        ("AWS prices", lambda: _prices(SageMakerCosts(aws, machines))),
        ("AWS may read endpoint metrics", lambda: _last_asked(SageMakerCosts(aws, machines), endpoint)),
    ]


def _identity(aws: Aws) -> str:
    found = aws.sts.get_caller_identity()
    return f"{found['Arn']} in {aws.region}"


def _stack(aws: Aws, endpoint: str) -> str:
    missing = [name for name in OUTPUTS if name not in aws.outputs]
    if missing:
        raise NotFound(f"The stack “{aws.stack}” has no output {', '.join(missing)}: update it with sam deploy.")
    allowed = aws.outputs.get("EndpointName", endpoint)
    if allowed != endpoint:
        raise SconesError(
            f"The stack's functions may invoke only the endpoint “{allowed}”, but the app deploys “{endpoint}”: "
            f"set SCONES_ENDPOINT to {allowed}, or update the stack with EndpointName={endpoint}."
        )
    return f"“{aws.stack}” with {len(aws.outputs)} outputs"


def _bucket(aws: Aws, objects: S3ObjectStore) -> str:
    aws.s3.head_bucket(Bucket=objects.bucket)
    return f"“{objects.bucket}”"


def _functions(aws: Aws) -> str:
    found = []
    for function in functions.names(aws):
        described = aws.functions.get_function_configuration(FunctionName=function)
        found.append(f"{described['FunctionName']} ({described.get('Runtime', 'no runtime')})")
    return ", ".join(found)


def _simulated(aws: Aws, endpoint: str, *, scaling: bool) -> str:
    """Actions that cannot be tried without effect are checked with IAM, which the stack's AppPolicy does not allow."""
    arn = aws.sts.get_caller_identity()["Arn"]
    if not any(kind in arn for kind in (":user/", ":assumed-role/")):
        return f"not checked: {arn} is neither a user nor a role"
    try:
        found = permissions.denied(aws, arn, endpoint, scaling=scaling)
    except Unavailable as error:
        missing = next((name for name in SIMULATION if name in str(error)), None)
        if missing is None:
            raise
        return f"not checked: {missing} is not allowed"
    if found:
        raise Unavailable(f"AWS denies you {', '.join(found)}: attach the stack's AppPolicy to your role.")
    return "everything the app requests"


def _quotas(aws: Aws, machines: Hardware) -> str:
    """An update of an endpoint runs the new instances beside the old ones."""
    wanted = {
        f"{machines.training_instance} for {'spot training' if machines.spot else 'training'} job usage": 1,
        f"{machines.endpoint} for endpoint usage": 2 * machines.most_instances,
        f"{machines.endpoint} for transform job usage": 1,
    }
    pages = aws.quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    found = {quota["QuotaName"]: quota["Value"] for page in pages for quota in page["Quotas"]}
    small = {name: least for name, least in wanted.items() if found.get(name, 0) < least}
    if small:
        told = ", ".join(f"{found.get(name, 0):.0f} for {name} (request {least})" for name, least in small.items())
        raise Unavailable(f"Your account's quota is {told}: use the Service Quotas console.")
    return ", ".join(f"{found[name]:.0f} × {name}" for name in sorted(wanted))


def _prices(costs: SageMakerCosts) -> str:
    found = [(instances, costs.price(instances)) for instances in (costs.training(), costs.hosting())]
    return ", ".join(
        f"{instances.type} for {instances.use.lower()}: {price.per_hour:g} {price.currency} per hour"
        for instances, price in found
    )


def _last_asked(costs: SageMakerCosts, endpoint: str) -> str:
    with suppress(NotFound):
        costs.last_asked(endpoint)
    return "cloudwatch:GetMetricStatistics is allowed"
