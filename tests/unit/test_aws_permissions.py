"""Every request of the adapters is in AppPolicy, and nothing else is."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from scones_core.aws import permissions
from scones_core.aws.session import Aws
from tests.aws_requests import requested, unresolved
from tests.contract.stand_in.deployment import ROOT, template
from tests.policies import ACCOUNT, ENDPOINT, HERE, PSEUDO, REGION, STACK, Request, Stack, allows, as_list, check, stack

ADAPTERS = sorted((ROOT / "scones_core" / "aws").glob("*.py"))
# Wanted by AWS beside the action of the operation itself.
BESIDE = {
    "sagemaker:CreateTrainingJob": {"iam:PassRole", "sagemaker:AddTags"},
    "sagemaker:CreateTransformJob": {"sagemaker:AddTags"},
    "sagemaker:CreateModel": {"iam:PassRole", "sagemaker:AddTags"},
    "sagemaker:CreateEndpointConfig": {"sagemaker:AddTags"},
    "sagemaker:CreateEndpoint": {"sagemaker:AddTags"},
    "states:CreateStateMachine": {"iam:PassRole"},
    "application-autoscaling:RegisterScalableTarget": {
        "iam:CreateServiceLinkedRole",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
    },
    "application-autoscaling:PutScalingPolicy": {
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
    },
}
# Needs no permission; and what `doctor` asks for when it is allowed, which the app itself does not need.
WITHOUT_PERMISSION = {"sts:GetCallerIdentity"}
OF_DOCTOR = {"iam:GetRole", "iam:SimulatePrincipalPolicy"}


# The app


def requested_by_the_app() -> set[str]:
    found = {one for path in ADAPTERS for one in requested(path)}
    return found | {beside for one in found for beside in BESIDE.get(one, ())}


def app() -> Aws:
    aws = Aws(STACK, region=REGION)
    aws.__dict__["outputs"] = stack().outputs()
    return aws


def needs_of_the_app() -> list[Request]:
    needed = [
        Request(one, need.resource, need.context)
        for need in permissions.needed(app(), ENDPOINT, scaling=True)
        for one in need.actions
    ]
    return [*needed, Request("cloudformation:DescribeStacks", PSEUDO["AWS::StackId"])]


def test_every_request_of_the_adapters_is_recognised():
    assert {one for path in ADAPTERS for one in unresolved(path)} == set()
    assert {"s3:PutObject", "states:ListMapRuns", "sagemaker:UpdateEndpoint"} <= requested_by_the_app()


def test_the_permissions_that_doctor_asks_for_are_those_that_the_code_needs():
    asked = {need.action for need in needs_of_the_app()}
    assert asked == requested_by_the_app() - WITHOUT_PERMISSION - OF_DOCTOR


def test_the_app_may_do_what_it_needs_to_and_nothing_else():
    check("AppPolicy", needs_of_the_app())


def test_a_role_is_handed_on_to_its_service_only():
    role = stack().outputs()["SageMakerRoleArn"]
    passed = Request("iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"})
    assert not allows(stack().statements("AppPolicy"), passed)


@pytest.mark.parametrize(
    ("action_", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::another-bucket/image.png"),
        ("sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:{HERE}:endpoint/another"),
        ("sagemaker:StopTrainingJob", f"arn:aws:sagemaker:{HERE}:training-job/another-job"),
        ("states:StopExecution", f"arn:aws:states:{HERE}:execution:another-machine:name"),
        ("states:DescribeMapRun", f"arn:aws:states:{HERE}:mapRun:another-machine/Images:1"),
        ("lambda:UpdateFunctionConfiguration", f"arn:aws:lambda:{HERE}:function:{STACK}-serialize_image_data"),
        ("cloudwatch:DeleteAlarms", f"arn:aws:cloudwatch:{HERE}:alarm:another"),
        ("iam:CreateServiceLinkedRole", f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/Another"),
    ],
)
def test_the_app_may_not_touch_what_is_not_of_the_stack(action_: str, resource: str):
    assert not allows(stack().statements("AppPolicy"), Request(action_, resource))


def test_the_policies_fit_into_their_quotas_with_the_longest_names(monkeypatch: pytest.MonkeyPatch):
    """6,144 characters of a managed policy, 10,240 of a role's own: "IAM and STS quotas" in the IAM user guide."""
    longest = "s" * 34  # of a stack: <stack>-train-YYYYMMDD-HHMMSS-xxxxxx is a job's name, of 63 letters at the most
    monkeypatch.setitem(PSEUDO, "AWS::StackName", longest)
    monkeypatch.setitem(PSEUDO, "AWS::Region", "ap-southeast-1")
    suffixes = 13 * 10  # what CloudFormation adds to the names of roles and topics
    long = Stack(template())
    for name, most in [("AppPolicy", 6_144), *[(role, 10_240) for role in long.roles()]]:
        text = json.dumps({"Version": "2012-10-17", "Statement": long.statements(name)}, separators=(",", ":"))
        assert len(text) + suffixes <= most, name


# The reference


UNNAMED = {"cloudwatch:PutMetricData"}  # a metric has no ARN; what can be named is a data set, of another protocol


def reference() -> dict[str, Any]:
    """Actions and their resources, of every AWS service; cfn-lint brings AWS's own list of them."""
    found = find_spec("cfnlint")  # importing it takes most of a second
    assert found
    assert found.origin
    path = Path(found.origin).parent / "data" / "AdditionalSpecs" / "Policies.json"
    return json.loads(path.read_text())


def all_statements() -> list[tuple[str, dict[str, Any]]]:
    return [(name, s) for name in ["AppPolicy", *stack().roles()] for s in stack().statements(name)]


def test_every_action_exists_and_takes_the_kind_of_resource_it_is_allowed_on():
    services = reference()
    wrong = []
    for policy, statement in all_statements():
        for one in as_list(statement["Action"]):
            service, _, verb = one.partition(":")
            resources = services[service]["Actions"][verb.lower()].get("Resources", []) if one not in UNNAMED else []
            if not resources:
                fits = as_list(statement["Resource"]) == ["*"]
            else:
                fits = any(
                    _is_a(resource, services[service], kinds=resources) for resource in as_list(statement["Resource"])
                )
            wrong += [] if fits else [f"{policy}: {one} on {statement['Resource']}"]
    assert wrong == []


def _is_a(resource: str, service: dict[str, Any], kinds: list[str]) -> bool:
    """Whether an ARN, perhaps with wildcards, is of one of the kinds."""
    formats = [text for kind in kinds for text in service["Resources"][kind.lower()]["ARNFormats"]]
    patterns = [re.sub(r"\$\{\w+\}", "[^:]*", text) for text in formats]
    return any(re.fullmatch(pattern, resource) for pattern in patterns)
