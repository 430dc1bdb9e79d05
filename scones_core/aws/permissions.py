"""What the app's requests need in IAM; `AppPolicy` of infra/template.yaml allows exactly this.

Source: "Actions, resources, and condition keys for AWS services" in the service authorization reference.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from scones_core.aws import functions
from scones_core.aws.session import Aws
from scones_core.aws.training_log import GROUP
from scones_core.domain.models import CHAMPION_VARIANT
from scones_core.errors import NotFound, SconesError, Unavailable

NOBODY = "doctor"  # a job, an execution and a machine of this name never exist
NO_ID = "00000000-0000-0000-0000-000000000000"
SCALING = "sagemaker.application-autoscaling.amazonaws.com"
SCALING_ROLE = f"aws-service-role/{SCALING}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


@dataclass(frozen=True)
class Needed:
    """Actions on a resource. context : values of condition keys that AWS sets with such a request."""

    actions: Sequence[str]
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def needed(aws: Aws, endpoint: str, *, scaling: bool) -> Iterator[Needed]:
    """Permissions on the stack's resources. scaling : with those of an endpoint that scales."""
    partition, region, account = _place(aws)
    bucket = f"arn:{partition}:s3:::{aws.output('BucketName')}"
    yield Needed(["s3:ListBucket"], bucket)
    yield Needed(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{bucket}/{NOBODY}")
    yield from _sagemaker(f"arn:{partition}:sagemaker:{region}:{account}", aws, endpoint)
    yield from _step_functions(aws)
    for function in functions.names(aws):
        yield Needed(["lambda:GetFunctionConfiguration"], function)
    for function in functions.configurable(aws):
        yield Needed(["lambda:UpdateFunctionConfiguration"], function)
    logs = f"arn:{partition}:logs:{region}:{account}:log-group:{GROUP}"
    yield Needed(["logs:DescribeLogStreams"], logs)
    yield Needed(["logs:GetLogEvents"], f"{logs}:log-stream:{aws.stack}-{NOBODY}")
    yield Needed(["sns:ListSubscriptionsByTopic", "sns:Publish"], aws.output("FailureTopicArn"))
    yield Needed(["cloudwatch:GetMetricStatistics", "pricing:GetProducts", "servicequotas:ListServiceQuotas"], "*")
    if scaling:
        yield from _scaling(partition, f"{region}:{account}", endpoint)


def _sagemaker(sagemaker: str, aws: Aws, endpoint: str) -> Iterator[Needed]:
    named = f"{aws.stack}-{NOBODY}"
    verbs = {
        "training-job": ["AddTags", "CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob"],
        "transform-job": ["AddTags", "CreateTransformJob", "DescribeTransformJob"],
        "model": ["AddTags", "CreateModel", "DescribeModel"],
        "endpoint-config": [
            "AddTags",
            "CreateEndpoint",
            "CreateEndpointConfig",
            "DescribeEndpointConfig",
            "UpdateEndpoint",
        ],
    }
    for kind, names in verbs.items():
        yield Needed([f"sagemaker:{name}" for name in names], f"{sagemaker}:{kind}/{named}")
    served = ["AddTags", "CreateEndpoint", "DeleteEndpoint", "DescribeEndpoint", "InvokeEndpoint", "UpdateEndpoint"]
    served += ["UpdateEndpointWeightsAndCapacities"]
    yield Needed([f"sagemaker:{name}" for name in served], f"{sagemaker}:endpoint/{endpoint}")
    registry = ["sagemaker:CreateModelPackage", "sagemaker:ListModelPackages", "sagemaker:UpdateModelPackage"]
    yield Needed(registry, f"{sagemaker}:model-package/{aws.stack}/1")
    yield Needed(registry[:2], f"{sagemaker}:model-package-group/{aws.stack}")
    yield Needed(["sagemaker:ListTrainingJobs", "sagemaker:ListTransformJobs"], "*")
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    yield Needed(["iam:PassRole"], aws.output("SageMakerRoleArn"), passed)


def _step_functions(aws: Aws) -> Iterator[Needed]:
    on_machines = ["CreateStateMachine", "DescribeStateMachine", "ListExecutions", "StartExecution"]
    on_machines += ["UpdateStateMachine"]
    on_executions = ["DescribeExecution", "DescribeStateMachineForExecution", "GetExecutionHistory", "ListMapRuns"]
    on_executions += ["StopExecution"]
    yield Needed([f"states:{name}" for name in on_machines], _machine(aws))
    yield Needed([f"states:{name}" for name in on_executions], _execution(aws))
    yield Needed(["states:DescribeMapRun"], _map_run(aws))
    yield Needed(["states:ListStateMachines"], "*")
    passed = {"iam:PassedToService": "states.amazonaws.com"}
    yield Needed(["iam:PassRole"], aws.output("StateMachineRoleArn"), passed)


def _scaling(partition: str, here: str, endpoint: str) -> Iterator[Needed]:
    """Application Auto Scaling checks that its caller may do with alarms what it will do itself.

    Source: "Auto scaling prerequisites" in the SageMaker developer guide.
    """
    verbs = ["DeregisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget"]
    target = f"arn:{partition}:application-autoscaling:{here}:scalable-target/{NOBODY}"
    yield Needed([f"application-autoscaling:{verb}" for verb in verbs], target)
    yield Needed(["application-autoscaling:DescribeScalableTargets"], "*")
    alarms = f"arn:{partition}:cloudwatch:{here}:alarm:"
    yield Needed(["cloudwatch:DescribeAlarms"], f"{alarms}*")
    own = f"TargetTracking-endpoint/{endpoint}/variant/{CHAMPION_VARIANT}-AlarmHigh-{NO_ID}"
    yield Needed(["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"], f"{alarms}{own}")
    role = f"arn:{partition}:iam::{here.partition(':')[2]}:role/{SCALING_ROLE}"
    yield Needed(["iam:CreateServiceLinkedRole"], role, {"iam:AWSServiceName": SCALING})


def _place(aws: Aws) -> tuple[str, str, str]:
    """Partition, region and account of the stack."""
    _, partition, _, region, account, *_ = aws.output("ClassifyImageStateMachineArn").split(":")
    return partition, region, account


def _machine(aws: Aws) -> str:
    return f"{aws.output('ClassifyImageStateMachineArn').rpartition(':')[0]}:{aws.stack}-{NOBODY}"


def _execution(aws: Aws) -> str:
    return f"{_machine(aws).replace(':stateMachine:', ':execution:')}:{NOBODY}"


def _map_run(aws: Aws) -> str:
    return f"{_machine(aws).replace(':stateMachine:', ':mapRun:')}/{NOBODY}:{NO_ID}"


# Tried: requests without effect, which need no permission but the one they ask for


def tried(aws: Aws, endpoint: str) -> str:
    """Make requests on missing things, or read-only ones. Raises Unavailable with all that AWS denies."""
    failed = list[str]()
    requests = _without_effect(aws, endpoint)
    for request in requests:
        try:
            with suppress(NotFound):  # without permission, AWS refuses before it looks for the thing
                request()
        except SconesError as error:
            failed.append(str(error))
    if failed:
        raise Unavailable(" ".join(dict.fromkeys(failed)))
    return f"{len(requests)} requests were allowed"


def _without_effect(aws: Aws, endpoint: str) -> Sequence[Callable[[], object]]:
    name, machine, execution = f"{aws.stack}-{NOBODY}", _machine(aws), _execution(aws)
    sagemaker, states = aws.sagemaker, aws.stepfunctions
    return [
        partial(sagemaker.describe_training_job, TrainingJobName=name),
        partial(sagemaker.stop_training_job, TrainingJobName=name),
        partial(sagemaker.list_training_jobs, MaxResults=1),
        partial(sagemaker.describe_transform_job, TransformJobName=name),
        partial(sagemaker.list_transform_jobs, MaxResults=1),
        partial(sagemaker.describe_model, ModelName=name),
        partial(sagemaker.describe_endpoint_config, EndpointConfigName=name),
        partial(sagemaker.describe_endpoint, EndpointName=endpoint),
        partial(sagemaker.list_model_packages, ModelPackageGroupName=aws.stack, MaxResults=1),
        partial(states.list_state_machines, maxResults=1),
        partial(states.describe_state_machine, stateMachineArn=machine),
        partial(states.start_execution, stateMachineArn=machine),
        partial(states.list_executions, stateMachineArn=machine, maxResults=1),
        partial(states.describe_execution, executionArn=execution),
        partial(states.describe_state_machine_for_execution, executionArn=execution),
        partial(states.get_execution_history, executionArn=execution, maxResults=1),
        partial(states.stop_execution, executionArn=execution),
        partial(states.list_map_runs, executionArn=execution, maxResults=1),
        partial(states.describe_map_run, mapRunArn=_map_run(aws)),
        partial(aws.logs.describe_log_streams, logGroupName=GROUP, limit=1),
        partial(aws.sns.list_subscriptions_by_topic, TopicArn=aws.output("FailureTopicArn")),
    ]


# Simulated: everything, by IAM


def denied(aws: Aws, identity: str, endpoint: str, *, scaling: bool) -> Sequence[str]:
    """Actions that the policies of an identity do not allow, as IAM simulates them.

    identity : ARN of a user, or of a role's session.

    Raises Unavailable without iam:SimulatePrincipalPolicy (of a role: and iam:GetRole).
    """
    principal = _principal(aws, identity)
    simulation = aws.iam.get_paginator("simulate_principal_policy")
    found = dict[str, None]()
    for need in needed(aws, endpoint, scaling=scaling):
        pages = simulation.paginate(
            PolicySourceArn=principal,
            ActionNames=need.actions,
            ResourceArns=[need.resource],
            ContextEntries=[
                {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
                for key, value in need.context.items()
            ],
        )
        results = [result for page in pages for result in page["EvaluationResults"]]
        found.update((r["EvalActionName"], None) for r in results if r["EvalDecision"] != "allowed")
    return list(found)


def _principal(aws: Aws, arn: str) -> str:
    """The role behind an assumed role, with the path that its session does not tell; IAM knows no sessions.

    Roles of IAM Identity Center lie under /aws-reserved/sso.amazonaws.com/.
    """
    if ":assumed-role/" not in arn:
        return arn
    return aws.iam.get_role(RoleName=arn.split("/")[1])["Role"]["Arn"]
