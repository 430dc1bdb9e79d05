"""What `doctor` finds on the AWS backend, and who is notified."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from scones_core.aws.algorithms import Hardware
from scones_core.aws.checks import checks
from scones_core.aws.notifier import SnsNotifier
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.session import Aws
from scones_core.errors import NotFound, SconesError
from tests.contract.conftest import REAL
from tests.contract.stand_in import others, prices, roles
from tests.contract.stand_in.deployment import ROOT
from tests.contract.stand_in.server import REGION, STACK

pytestmark = pytest.mark.skipif(REAL, reason="looks into the stand-in")
ENDPOINT = "scones-unlimited"


# Notifications


def test_where_eventbridge_tells_of_each_failure_the_app_keeps_quiet(aws: Aws):
    assert SnsNotifier(aws).channels() == []


def test_in_a_digest_the_app_tells_the_topics_subscribers(aws: Aws):
    digest = Aws(STACK)
    digest.__dict__["outputs"] = {**aws.outputs, "FailureNotifications": "digest"}
    topic = aws.output("FailureTopicArn")
    roles.administrator("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
    assert SnsNotifier(digest).channels() == ["email: a…@example.com"]
    SnsNotifier(digest).send("7 executions failed – look", "7 × THRESHOLD_CONFIDENCE_NOT_MET")
    sent = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics[topic].sent_notifications[-1]
    assert sent[1:3] == ("7 × THRESHOLD_CONFIDENCE_NOT_MET", "7 executions failed ? look")


# Doctor


def found(aws: Aws, machines: Hardware | None = None, endpoint: str = ENDPOINT) -> dict[str, str | SconesError]:
    """Name of each check → what it said, or the error it raised."""
    said: dict[str, str | SconesError] = {}
    for name, check in checks(aws, S3ObjectStore(aws), machines or Hardware(), endpoint):
        try:
            said[name] = check()
        except SconesError as error:
            said[name] = error
    return said


def test_every_check_of_a_sound_stack_passes(aws: Aws):
    said = found(aws)
    assert {name: str(error) for name, error in said.items() if isinstance(error, SconesError)} == {}
    assert STACK in str(said["AWS stack"])


SIMULATES = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["iam:GetRole", "iam:SimulatePrincipalPolicy"], "Resource": "*"}],
}


@pytest.fixture
def of_identity_center(aws: Aws) -> Iterator[Aws]:
    """The app in a role with a path, that may simulate policies."""
    name, iam = "AWSReservedSSO_Developer_0123456789abcdef", roles.administrator("iam")
    arn = roles.create_role(name, aws.output("AppPolicyArn"), path="/aws-reserved/sso.amazonaws.com/eu-central-1/")
    iam.put_role_policy(RoleName=name, PolicyName="simulate", PolicyDocument=json.dumps(SIMULATES))
    with pytest.MonkeyPatch.context() as patch:
        for key, value in roles.credentials(arn).items():
            patch.setenv(key.upper(), value)
        yield Aws(STACK)
    iam.detach_role_policy(RoleName=name, PolicyArn=aws.output("AppPolicyArn"))
    iam.delete_role_policy(RoleName=name, PolicyName="simulate")
    iam.delete_role(RoleName=name)


@pytest.mark.parametrize("most_instances", [1, 3])
def test_the_policies_of_a_role_with_a_path_are_simulated(of_identity_center: Aws, most_instances: int):
    said = found(of_identity_center, Hardware(most_instances=most_instances))
    assert said["AWS may train and deploy"] == "everything the app requests"


def test_a_missing_permission_is_named(of_identity_center: Aws):
    iam, name = roles.administrator("iam"), "AWSReservedSSO_Developer_0123456789abcdef"
    denied = {"Effect": "Deny", "Action": ["sagemaker:CreateTrainingJob", "states:ListMapRuns"], "Resource": "*"}
    statements = [*SIMULATES["Statement"], denied]
    iam.put_role_policy(
        RoleName=name, PolicyName="simulate", PolicyDocument=json.dumps({**SIMULATES, "Statement": statements})
    )
    said = {check: str(answer) for check, answer in found(of_identity_center).items()}
    assert said["AWS may train and deploy"] == (
        "AWS denies you sagemaker:CreateTrainingJob, states:ListMapRuns: attach the stack's AppPolicy to your role."
    )
    assert "AWS denied states:ListMapRuns" in said["AWS may read and stop"]


def test_without_the_permission_to_simulate_nothing_is_said_to_be_wrong(aws: Aws):
    assert found(aws)["AWS may train and deploy"] == "not checked: iam:GetRole is not allowed"


def test_a_quota_of_zero_is_named(aws: Aws):
    said = found(aws, Hardware(training="ml.g5.12xlarge"))["AWS quotas"]
    assert "quota is 0 for ml.g5.12xlarge for training job usage (request 1)" in str(said)


def test_an_update_of_an_endpoint_needs_instances_for_both_models(aws: Aws, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(others.QUOTAS, "ml.m5.large for endpoint usage", 1.0)
    assert "1 for ml.m5.large for endpoint usage (request 2)" in str(found(aws)["AWS quotas"])


def test_a_price_list_that_may_not_be_asked_is_named(aws: Aws, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prices, "refuses", ["AccessDeniedException"])
    assert "denied pricing:GetProducts" in str(found(aws)["AWS prices"])


def test_the_prices_are_told(aws: Aws):
    assert found(aws)["AWS prices"] == (
        "ml.g4dn.xlarge for training: 0.8 USD per hour, ml.m5.large for hosting: 0.1 USD per hour"
    )


def test_a_stack_that_is_not_there_is_named_in_every_check_that_needs_it(
    aws_stand_in: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    """To whoever may look at any stack; AppPolicy is of one."""
    for key, value in roles.administrators_key().items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    said = found(Aws("nothing"))
    assert isinstance(said["AWS stack"], NotFound)
    assert str(said["AWS stack"]) == (
        "No stack “nothing” in us-east-1: deploy it (infra/README.md), or set SCONES_STACK."
    )
    assert isinstance(said["AWS bucket"], NotFound)
    assert not isinstance(said["AWS identity"], SconesError)


def test_an_endpoint_that_the_functions_may_not_ask_is_pointed_out(aws: Aws):
    assert "set SCONES_ENDPOINT to scones-unlimited" in str(found(aws, endpoint="another")["AWS stack"])


def test_the_command_line_says_what_it_found_as_json(aws_stand_in: dict[str, str], tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "scones_core", "--backend", "aws", "--home", str(tmp_path), "doctor", "--json"],
        cwd=ROOT,
        env={**os.environ, **aws_stand_in},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)["checks"]
    assert {"object store", "AWS identity", "AWS quotas"} <= {check["name"] for check in said if check["ok"]}
