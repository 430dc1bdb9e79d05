"""IAM, enforced: every request to the stand-in must be allowed by the policies of whoever makes it.

moto knows who asks and the policies; it does not know which resource a request is about, and evaluates no
conditions. Here a request asks for what AWS's reference says, and for what the service then does in the caller's name.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint
from moto.cloudformation.models import cloudformation_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import AccessDeniedError
from moto.iam.access_control import IAMPolicy
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from scones_core.aws.permissions import SCALING, SCALING_ROLE
from tests.contract.stand_in.roles import REGION
from tests.policies import Request, allows

HERE = f"{REGION}:{DEFAULT_ACCOUNT_ID}"
SERVICES = {"monitoring": "cloudwatch"}  # where requests are signed for another name than IAM's
OPERATIONS = {"lambda:Invoke": "InvokeFunction"}
S3_ACTIONS = {"HeadBucket": "ListBucket", "HeadObject": "GetObject", "ListObjectsV2": "ListBucket"}
# Kind of resource, as the reference names it → parameter that names one, and its ARN.
KINDS = {
    "sagemaker": {
        kind: (parameter, f"arn:aws:sagemaker:{HERE}:{kind}/{{}}")
        for kind, parameter in (
            ("training-job", "TrainingJobName"),
            ("transform-job", "TransformJobName"),
            ("model", "ModelName"),
            ("endpoint", "EndpointName"),
            ("endpoint-config", "EndpointConfigName"),
        )
    }
    | {"model-package": ("ModelPackageArn", "{}")},
    "states": {
        "statemachine": ("stateMachineArn", "{}"),
        "execution": ("executionArn", "{}"),
        "maprun": ("mapRunArn", "{}"),
    },
    "sns": {"topic": ("TopicArn", "{}")},
    "lambda": {"function": ("FunctionName", "{}")},
    "logs": {
        "log-stream": ("logStreamName", f"arn:aws:logs:{HERE}:log-group:{{logGroupName}}:log-stream:{{}}"),
        "log-group": ("logGroupName", f"arn:aws:logs:{HERE}:log-group:{{}}"),
    },
    "application-autoscaling": {
        "scalabletarget": ("ResourceId", f"arn:aws:application-autoscaling:{HERE}:scalable-target/1a2b")
    },
    "iam": {"role": ("RoleName", f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/{{}}")},
}
PASSED_TO = {"sagemaker": "sagemaker.amazonaws.com", "states": "states.amazonaws.com"}
asked: set[tuple[str, str]] = set()  # (who, action) of all requests that were allowed


def check_action_permitted(self: Any, resource: str) -> None:
    """In the place of `moto.iam.access_control.IAMRequestBase.check_action_permitted`."""
    who = self._access_key.arn
    statements = _statements(self._access_key.collect_policies())
    for request in requests(self, resource):
        if request.action == "sts:GetCallerIdentity":
            return
        if not allows(statements, request):
            if request.action.startswith("s3:"):
                self._raise_access_denied()
            raise AccessDeniedError(user_arn=who, action=f"{request.action} on resource: {request.resource}")
        asked.add((who, request.action))


def check_signature(self: Any) -> None:
    """In the place of moto's own, which reckons with other paths than botocore where they hold ARNs."""


def requests(asking: Any, resource: str) -> Iterator[Request]:
    """What IAM is asked for one request of AWS's API."""
    service, _, operation = asking._action.partition(":")
    service = SERVICES.get(service, service)
    operation = OPERATIONS.get(f"{service}:{operation}", operation)
    action = f"{service}:{operation}"
    if service == "s3":
        yield from _of_s3(f"s3:{S3_ACTIONS.get(operation, operation)}", resource)
        return
    given = _parameters(asking)
    resources = list(_resources(service, operation, given))
    yield from [Request(action, one) for one in resources or ["*"]]
    yield from _beside(action, given, resources)


def _of_s3(action: str, resource: str) -> Iterator[Request]:
    """S3 tells that an object does not exist to those only who may list the bucket."""
    yield Request(action, resource)
    bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
    there = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.get(bucket)
    if action == "s3:GetObject" and there and key not in there.keys:
        yield Request("s3:ListBucket", f"arn:aws:s3:::{bucket}")


def _parameters(asking: Any) -> Mapping[str, Any]:
    if match := re.match(r"/endpoints/([^/]+)/invocations", asking._path):
        return {"EndpointName": match[1]}
    if match := re.match(r"/\d{4}-\d\d-\d\d/functions/([^/]+)", asking._path):
        name = match[1].replace("%3A", ":")
        return {"FunctionName": name if name.startswith("arn:") else f"arn:aws:lambda:{HERE}:function:{name}"}
    body = asking._body or b""
    body = body if isinstance(body, bytes) else body.encode()
    if body.startswith(b"{"):
        found: dict[str, Any] = json.loads(body)
        return found
    return {key: value[0] if isinstance(value, list) else value for key, value in asking._data.items()}


@cache
def _reference() -> dict[str, Any]:
    """Actions and their resources: AWS's own list, which cfn-lint brings."""
    path = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _resources(service: str, operation: str, given: Mapping[str, Any]) -> Iterator[str]:
    known = _reference()[service]["Actions"].get(operation.lower(), {}).get("Resources", [])
    for kind in known:
        parameter, arn = KINDS.get(service, {}).get(kind.lower(), ("", ""))
        if given.get(parameter):
            yield arn.format(given[parameter], **given)
    if service == "sagemaker" and "ModelPackageGroupName" in given:
        group = given["ModelPackageGroupName"]
        yield f"arn:aws:sagemaker:{HERE}:model-package-group/{group}"
        yield f"arn:aws:sagemaker:{HERE}:model-package/{group}/1"
    if service == "states" and operation == "CreateStateMachine":
        yield f"arn:aws:states:{HERE}:stateMachine:{given['name']}"
    if service == "cloudformation":
        stacks = cloudformation_backends[DEFAULT_ACCOUNT_ID][REGION].stacks.values()
        yield next((one.stack_id for one in stacks if one.name == given.get("StackName")), "*")


def _beside(action: str, given: Mapping[str, Any], resources: list[str]) -> Iterator[Request]:
    """What the service does, or checks, in the name of its caller."""
    service = action.partition(":")[0]
    for parameter in ("RoleArn", "ExecutionRoleArn", "roleArn"):
        if parameter in given and service in PASSED_TO:
            yield Request("iam:PassRole", given[parameter], {"iam:PassedToService": PASSED_TO[service]})
    if service == "sagemaker" and given.get("Tags"):
        created = resources[:1] if action != "sagemaker:CreateEndpoint" else [r for r in resources if ":endpoint/" in r]
        yield from [Request("sagemaker:AddTags", resource) for resource in created]
    if action == "application-autoscaling:RegisterScalableTarget":
        role = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/{SCALING_ROLE}"
        yield Request("iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": SCALING})
        endpoint = f"arn:aws:sagemaker:{HERE}:endpoint/{given['ResourceId'].split('/')[1]}"
        verbs = ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities")
        yield from [Request(f"sagemaker:{verb}", endpoint) for verb in verbs]
    if action == "application-autoscaling:PutScalingPolicy":
        alarm = f"arn:aws:cloudwatch:{HERE}:alarm:TargetTracking-{given['ResourceId']}-AlarmHigh-1a2b"
        verbs = ("PutMetricAlarm", "DeleteAlarms", "DescribeAlarms")
        yield from [Request(f"cloudwatch:{verb}", alarm) for verb in verbs]


# Roles, for the services that act in them


def statements_of(arn: str) -> list[dict[str, Any]]:
    """Statements of the policies of a role."""
    backend = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    name = backend.get_role_by_arn(arn).name
    own = [backend.get_role_policy(name, policy)[1] for policy in backend.list_role_policies(name)]
    attached, _ = backend.list_attached_role_policies(name)
    return _statements([*own, *attached])


def _statements(policies: Iterable[Any]) -> list[dict[str, Any]]:
    return [statement for policy in policies for statement in IAMPolicy(policy)._policy_json["Statement"]]
