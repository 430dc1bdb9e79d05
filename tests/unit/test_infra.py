"""The SAM template: linted, translated, and no wider than it must be."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scones_core.aws.checks import OUTPUTS
from scones_core.services.batch import IMAGES, RESULTS
from scones_core.settings import Settings
from tests.contract.stand_in.deployment import NOT_IN_MOTO, ROOT, TEMPLATE, packaged, template, translated

ASL = sorted((ROOT / "infra").glob("*.asl.json"))
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "lambdas").glob("*/handler.py"))
# Actions for which the service authorization reference knows no resource:
# https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCE = {
    "application-autoscaling:DescribeScalableTargets",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "pricing:GetProducts",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListTransformJobs",
    "servicequotas:ListServiceQuotas",
    "states:ListStateMachines",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


def of_type(kind: str) -> dict[str, Any]:
    return {name: r["Properties"] for name, r in template()["Resources"].items() if r["Type"] == kind}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements() -> list[dict[str, Any]]:
    """Every statement that allows something, of every role and policy."""
    documents = [p["PolicyDocument"] for r in of_type("AWS::IAM::Role").values() for p in r.get("Policies", [])]
    documents += [properties["PolicyDocument"] for properties in of_type("AWS::IAM::ManagedPolicy").values()]
    return [statement for document in documents for statement in document["Statement"]]


def test_cfn_lint_finds_nothing():
    lint = shutil.which("cfn-lint", path=str(Path(sys.executable).parent))
    assert lint, "install requirements-dev.txt"
    done = subprocess.run([lint, str(TEMPLATE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_sam_translates_every_function_and_state_machine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    resources = translated()["Resources"].values()
    kinds = [resource["Type"] for resource in resources]
    assert not [kind for kind in kinds if kind.startswith("AWS::Serverless::")]
    assert kinds.count("AWS::Lambda::Function") == len(FUNCTIONS)
    assert kinds.count("AWS::StepFunctions::StateMachine") == len(ASL)
    assert {resource["Type"] for resource in resources} >= NOT_IN_MOTO - {"AWS::SNS::Subscription"}


def test_every_function_is_deployed_with_a_current_runtime_and_a_role_of_its_own():
    functions = of_type("AWS::Serverless::Function")
    assert sorted(Path(function["CodeUri"]).name for function in functions.values()) == FUNCTIONS
    assert len({json.dumps(function["Role"]) for function in functions.values()}) == len(functions)
    shared = template()["Globals"]["Function"]
    assert (shared["Runtime"], shared["Architectures"]) == ("python3.13", ["arm64"])


@pytest.mark.parametrize("file", ASL, ids=lambda file: file.name)
def test_a_state_machine_is_deployed_from_the_file_the_embedded_backend_runs(file: Path):
    [machine] = [m for m in of_type("AWS::Serverless::StateMachine").values() if m["DefinitionUri"] == file.name]
    placeholders = set(re.findall(r"\$\{(\w+)\}", file.read_text()))
    assert placeholders <= set(machine["DefinitionSubstitutions"])
    assert machine["Name"] == {"Fn::Sub": "${AWS::StackName}-" + file.name.removesuffix(".asl.json")}
    assert machine["Tracing"]["Enabled"]
    assert machine["Logging"]["Destinations"]


@pytest.mark.parametrize("file", ASL, ids=lambda file: file.name)
def test_every_transition_of_a_state_machine_leads_somewhere(file: Path):
    """What neither cfn-lint nor moto notices."""
    check_machine(json.loads(file.read_text()))


def check_machine(machine: dict[str, Any]) -> None:
    states = machine["States"]
    reached = {machine["StartAt"]}
    for state in states.values():
        choices = [choice["Next"] for choice in state.get("Choices", [])]
        caught = [catch["Next"] for catch in state.get("Catch", [])]
        reached |= {*choices, *caught, *([state["Next"]] if "Next" in state else []), state.get("Default")} - {None}
        if state["Type"] not in ("Choice", "Succeed", "Fail"):
            assert ("Next" in state) != bool(state.get("End")), "a state either goes on or ends"
        for inner in [state.get("ItemProcessor"), *state.get("Branches", [])]:
            if inner:
                check_machine(inner)
    assert reached == set(states)


def test_no_permission_is_for_every_resource_where_one_can_be_named():
    wide = [s for s in statements() if "*" in as_list(s["Resource"])]
    assert wide
    assert {action for statement in wide for action in as_list(statement["Action"])} <= WITHOUT_RESOURCE


def test_no_permission_is_for_every_action_of_a_service():
    assert not [s for s in statements() for action in as_list(s["Action"]) if action.endswith("*")]


def test_a_role_is_handed_on_to_one_service_only():
    passing = [s for s in statements() if "iam:PassRole" in as_list(s["Action"])]
    assert passing
    assert all(statement["Condition"]["StringEquals"]["iam:PassedToService"] for statement in passing)


def test_the_bucket_is_encrypted_private_and_takes_tls_only():
    [bucket] = of_type("AWS::S3::Bucket").values()
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    expiring = {rule.get("Prefix"): rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    for prefix in ("captures/", RESULTS, IMAGES):
        assert expiring[prefix]["ExpirationInDays"] == {"Ref": "CaptureDays"}
    [policy] = of_type("AWS::S3::BucketPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_failed_executions_reach_the_topic():
    [rule] = of_type("AWS::Events::Rule").values()
    assert rule["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT"]
    assert [target["Arn"] for target in rule["Targets"]] == [{"Ref": "FailureTopic"}]
    [policy] = of_type("AWS::SNS::TopicPolicy").values()
    statements = {name: s for s in policy["PolicyDocument"]["Statement"] for name in as_list(s["Principal"]["Service"])}
    assert set(statements) == {"events.amazonaws.com", "cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    # Messages of EventBridge do not carry what a condition could ask for; those of the others do.
    conditional = {name for name, statement in statements.items() if "Condition" in statement}
    assert conditional == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    assert {statement["Action"] for statement in statements.values()} == {"sns:Publish"}


def test_the_alarms_that_take_a_model_back_exist():
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    names = {alarm["AlarmName"]["Fn::Sub"] for alarm in alarms}
    assert set(template()["Outputs"]["RollbackAlarms"]["Value"]["Fn::Sub"].split(",")) <= names
    assert all(alarm["AlarmActions"] == [{"Ref": "FailureTopic"}] for alarm in alarms)


def test_the_stack_tells_all_that_the_app_reads():
    outputs = set(template()["Outputs"])
    assert set(OUTPUTS) <= outputs
    assert {"AppPolicyArn", "EndpointName"} <= outputs


def test_the_dashboard_is_json_once_its_names_are_filled_in():
    [dashboard] = of_type("AWS::CloudWatch::Dashboard").values()
    body = json.loads(re.sub(r"\$\{[\w:]+\}", "name", dashboard["DashboardBody"]["Fn::Sub"]))
    assert len(body["widgets"]) == 4


def test_packaging_leaves_no_local_path():
    assert "../lambdas" not in json.dumps(packaged(template()))


def copied() -> list[str]:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return [path for line in lines if line.startswith("COPY ") for path in line.split()[1:-1]]


def test_the_image_is_built_from_files_that_are_there_and_let_through():
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied()) == let_through
    assert all((ROOT / path).exists() for path in copied())


def test_nothing_secret_can_get_into_the_image():
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    assert not [path for path in copied() if path in (".", ".streamlit", ".env") or "secret" in path]


def test_the_documents_name_every_setting_of_the_aws_backend():
    text = (ROOT / "docs" / "aws.md").read_text()
    embedded_only = {
        "backend",
        "home",
        "database_url",
        "notify",
        "notify_seconds",
        "log_json",
        "without_sign_in",
        "operators",
    }
    missing = [field for field in Settings.model_fields if f"SCONES_{field.upper()}" not in text]
    assert set(missing) <= embedded_only
