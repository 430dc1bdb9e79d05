"""What `sam deploy` does with the template: package, translate, create the stack."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "infra" / "template.yaml"
ARTIFACTS = "sam-artifacts"
NOT_IN_MOTO = {
    "AWS::Budgets::Budget",
    "AWS::CloudWatch::Alarm",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SageMaker::ModelPackageGroup",
}


class NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def template() -> dict[str, Any]:
    """The SAM template as it lies in infra/."""
    from samtranslator.yaml_helper import yaml_parse  # most of a second to import

    return yaml_parse(TEMPLATE.read_text())


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*.py")):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


def packaged(fragment: dict[str, Any], upload: Any = lambda key, data: None) -> dict[str, Any]:
    """Local paths become objects of the artifact bucket."""
    for name, resource in fragment["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            key = f"{name}.zip"
            upload(key, zipped((TEMPLATE.parent / properties["CodeUri"]).resolve()))
            properties["CodeUri"] = f"s3://{ARTIFACTS}/{key}"
        if resource["Type"] == "AWS::Serverless::StateMachine":
            file = TEMPLATE.parent / properties["DefinitionUri"]
            upload(file.name, file.read_bytes())
            properties["DefinitionUri"] = f"s3://{ARTIFACTS}/{file.name}"
    return fragment


def translated(fragment: dict[str, Any] | None = None) -> dict[str, Any]:
    """The CloudFormation template that SAM makes of the (packaged) SAM template."""
    from samtranslator.translator.transform import transform

    return transform(fragment or packaged(template()), {"AWS::Region": "us-east-1"}, NoManagedPolicies())


def for_moto(cloudformation: dict[str, Any]) -> dict[str, Any]:
    """Leave out what moto does not have; and fill in the definitions, as CloudFormation does and moto does not."""
    resources = cloudformation["Resources"]
    cloudformation["Resources"] = {n: r for n, r in resources.items() if r["Type"] not in NOT_IN_MOTO}
    for resource in cloudformation["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            properties = resource["Properties"]
            text = (TEMPLATE.parent / properties.pop("DefinitionS3Location")["Key"]).read_text()
            pieces = re.split(r"(\$\{\w+\})", text)
            substitutions = properties.pop("DefinitionSubstitutions", {})
            filled = [substitutions.get(piece[2:-1], piece) if piece.startswith("${") else piece for piece in pieces]
            properties["DefinitionString"] = {"Fn::Join": ["", filled]}
    return cloudformation


def deploy(stack: str, parameters: dict[str, str] | None = None) -> None:
    """Create the stack in the AWS that the environment names."""
    s3, cloudformation = boto3.client("s3"), boto3.client("cloudformation")
    s3.create_bucket(Bucket=ARTIFACTS)
    fragment = packaged(template(), lambda key, data: s3.put_object(Bucket=ARTIFACTS, Key=key, Body=data))
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=json.dumps(for_moto(translated(fragment))),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    boto3.client("sagemaker").create_model_package_group(
        ModelPackageGroupName=stack, ModelPackageGroupDescription="as in the template, which moto cannot make"
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    for role in iam_backends[DEFAULT_ACCOUNT_ID]["aws"].get_roles():  # moto leaves a role's own policies as they were
        role.policies = {name: json.dumps(document) for name, document in role.policies.items()}
