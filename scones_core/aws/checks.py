"""Checks of AWS for `doctor`. Each returns its finding, or raises the error that says what is missing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from scones_core.aws import functions
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
NOBODY = "doctor"  # a job, an execution and a machine of this name never exist


def checks(aws: Aws, objects: S3ObjectStore, machines: Hardware, endpoint: str) -> Sequence[Check]:
    """Names of the checks, and the checks."""
    return [
        ("AWS identity", lambda: _identity(aws)),
        ("AWS stack", lambda: _stack(aws, endpoint)),
        ("AWS bucket", lambda: _bucket(aws, objects)),
        ("AWS functions", lambda: _functions(aws)),
        *[(f"AWS may {name}", partial(_dry, call, action)) for name, action, call in _dry_calls(aws, endpoint)],
        ("AWS may train and deploy", lambda: _simulated(aws, endpoint)),
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


def _dry_calls(aws: Aws, endpoint: str) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Calls without effect: on missing things, or read-only. (name, action, call)."""
    job = f"{aws.stack}-{NOBODY}"
    yield "see jobs", "sagemaker:DescribeTrainingJob", lambda: aws.sagemaker.describe_training_job(TrainingJobName=job)
    yield "stop jobs", "sagemaker:StopTrainingJob", lambda: aws.sagemaker.stop_training_job(TrainingJobName=job)
    yield "list jobs", "sagemaker:ListTrainingJobs", lambda: aws.sagemaker.list_training_jobs(MaxResults=1)
    yield "see endpoints", "sagemaker:DescribeEndpoint", lambda: aws.sagemaker.describe_endpoint(EndpointName=endpoint)
    yield "list state machines", "states:ListStateMachines", lambda: aws.stepfunctions.list_state_machines(maxResults=1)
    yield (
        "start executions",
        "states:StartExecution",
        lambda: aws.stepfunctions.start_execution(stateMachineArn=_machine(aws)),
    )
    yield (
        "see executions",
        "states:DescribeExecution",
        lambda: aws.stepfunctions.describe_execution(executionArn=_execution(aws)),
    )
    yield (
        "stop executions",
        "states:StopExecution",
        lambda: aws.stepfunctions.stop_execution(executionArn=_execution(aws)),
    )
    yield (
        "read training logs",
        "logs:DescribeLogStreams",
        lambda: aws.logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs", limit=1),
    )
    yield (
        "list notification subscribers",
        "sns:ListSubscriptionsByTopic",
        lambda: aws.sns.list_subscriptions_by_topic(TopicArn=aws.output("FailureTopicArn")),
    )


def _machine(aws: Aws) -> str:
    return f"{aws.output('ClassifyImageStateMachineArn').rpartition(':')[0]}:{aws.stack}-{NOBODY}"


def _execution(aws: Aws) -> str:
    return f"{_machine(aws).replace(':stateMachine:', ':execution:')}:{NOBODY}"


def _dry(call: Callable[[], object], action: str) -> str:
    with suppress(NotFound):  # without permission, AWS refuses before it looks for the thing
        call()
    return f"{action} is allowed"


def _simulated(aws: Aws, endpoint: str) -> str:
    """Actions that cannot be tried without effect are checked with IAM, which needs iam:SimulatePrincipalPolicy."""
    denied = list[str]()
    try:
        principal = _principal(aws.sts.get_caller_identity()["Arn"])
        for actions, resource in _needed(aws, endpoint):
            answer = aws.iam.simulate_principal_policy(
                PolicySourceArn=principal, ActionNames=actions, ResourceArns=[resource]
            )
            denied += [r["EvalActionName"] for r in answer["EvaluationResults"] if r["EvalDecision"] != "allowed"]
    except Unavailable as error:
        if "iam:SimulatePrincipalPolicy" not in str(error):
            raise
        return "not checked: iam:SimulatePrincipalPolicy is not allowed"
    if denied:
        raise Unavailable(f"AWS denies you {', '.join(denied)}: attach the stack's AppPolicy to your role.")
    return "training jobs, transform jobs, models and endpoints"


def _needed(aws: Aws, endpoint: str) -> Iterator[tuple[list[str], str]]:
    region_account = ":".join(aws.output("ClassifyImageStateMachineArn").split(":")[3:5])
    partition = aws.output("SageMakerRoleArn").split(":")[1]
    sagemaker = f"arn:{partition}:sagemaker:{region_account}"
    yield ["sagemaker:CreateTrainingJob"], f"{sagemaker}:training-job/{aws.stack}-{NOBODY}"
    yield ["sagemaker:CreateTransformJob"], f"{sagemaker}:transform-job/{aws.stack}-{NOBODY}"
    yield ["sagemaker:CreateModel"], f"{sagemaker}:model/{aws.stack}-{NOBODY}"
    yield ["sagemaker:CreateEndpointConfig"], f"{sagemaker}:endpoint-config/{aws.stack}-{NOBODY}"
    deploy = [
        "CreateEndpoint",
        "UpdateEndpoint",
        "UpdateEndpointWeightsAndCapacities",
        "DeleteEndpoint",
        "InvokeEndpoint",
    ]
    yield [f"sagemaker:{action}" for action in deploy], f"{sagemaker}:endpoint/{endpoint}"
    yield ["sagemaker:CreateModelPackage"], f"{sagemaker}:model-package/{aws.stack}/1"
    yield ["iam:PassRole"], aws.output("SageMakerRoleArn")
    for function in functions.names(aws):
        yield ["lambda:UpdateFunctionConfiguration"], function


def _principal(arn: str) -> str:
    """The role behind an assumed role; IAM knows no policies of sessions."""
    if ":assumed-role/" not in arn:
        return arn
    account, role = arn.split(":")[4], arn.split("/")[1]
    return f"arn:{arn.split(':')[1]}:iam::{account}:role/{role}"


def _quotas(aws: Aws, machines: Hardware) -> str:
    wanted = {
        f"{machines.training_instance} for {'spot training' if machines.spot else 'training'} job usage",
        f"{machines.endpoint} for endpoint usage",
        f"{machines.endpoint} for transform job usage",
    }
    pages = aws.quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    found = {quota["QuotaName"]: quota["Value"] for page in pages for quota in page["Quotas"]}
    none = sorted(name for name in wanted if found.get(name, 0) < 1)
    if none:
        raise Unavailable(f"Your account's quota is 0 for {', '.join(none)}: request 1 in the Service Quotas console.")
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
