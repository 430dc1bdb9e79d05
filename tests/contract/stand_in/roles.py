"""Who asks: the app's role, which has AppPolicy and nothing else; the roles of the template; and an administrator."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.settings import moto_server_port
from moto.sts.models import sts_backends

from tests.policies import as_list

REGION = "us-east-1"
ADMINISTRATOR = "administrator"
APP = "app"
ASSUMED_BY_ANYBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
OTHER_ENDPOINTS = "scones-*"  # the suites deploy some beside the stack's, under names like these
_administrator: dict[str, str] = {}


def create_administrator() -> None:
    """To be asked before IAM is enforced."""
    iam = boto3.client("iam")
    iam.create_user(UserName=ADMINISTRATOR)
    iam.put_user_policy(UserName=ADMINISTRATOR, PolicyName="all", PolicyDocument=json.dumps(ALL))
    key = iam.create_access_key(UserName=ADMINISTRATOR)["AccessKey"]
    _administrator.update(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    _client.cache_clear()
    credentials.cache_clear()


def administrator(service: str) -> Any:
    """A client of somebody who may do everything."""
    return _client(service, "", moto_server_port())


def administrators_key() -> dict[str, str]:
    return {name.upper(): value for name, value in _administrator.items()}


def client(service: str, role_arn: str) -> Any:
    """A client of a service or of the app, in that role."""
    return _client(service, role_arn, moto_server_port())


@cache
def _client(service: str, role_arn: str, port: str) -> Any:
    given = credentials(role_arn) if role_arn else _administrator
    session = boto3.Session(region_name=REGION, **given)
    return session.client(service, endpoint_url=f"http://127.0.0.1:{port}")  # type: ignore[call-overload]


@cache
def credentials(role_arn: str) -> dict[str, str]:
    """Of a session of the role, by their names in botocore."""
    assumed = sts_backends[DEFAULT_ACCOUNT_ID]["aws"].assume_role(REGION, "stand-in", role_arn, "", 86_400, "")
    return {
        "aws_access_key_id": assumed.access_key_id,
        "aws_secret_access_key": assumed.secret_access_key,
        "aws_session_token": assumed.session_token,
    }


def create_app_role(stack: str) -> dict[str, str]:
    """The variables under which the app runs in a role with the stack's AppPolicy."""
    arn = create_role(f"{stack}-{APP}", outputs(stack)["AppPolicyArn"])
    return {key.upper(): value for key, value in credentials(arn).items()}


def create_role(name: str, policy: str, *, path: str = "/") -> str:
    """The ARN of a role that has a managed policy, and is of people or of the app."""
    iam = administrator("iam")
    role = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(ASSUMED_BY_ANYBODY))
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    return str(role["Role"]["Arn"])


def allow_other_endpoints(stack: str) -> None:
    """Whoever may use the stack's endpoint may use those of the suites too; the stack itself allows one name only."""
    iam, told = administrator("iam"), outputs(stack)
    policy = told["AppPolicyArn"]
    version = iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
    of_app = iam.get_policy_version(PolicyArn=policy, VersionId=version)["PolicyVersion"]["Document"]
    documents = {f"{stack}-{APP}": of_app}
    for role in (role["RoleName"] for role in iam.list_roles()["Roles"]):
        for own in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            documents[role] = iam.get_role_policy(RoleName=role, PolicyName=own)["PolicyDocument"]
    for role, document in documents.items():
        if statements := list(_of_other_endpoints(document, told["EndpointName"])):
            wider = json.dumps({**document, "Statement": statements})
            iam.put_role_policy(RoleName=role, PolicyName="endpoints-of-the-suites", PolicyDocument=wider)


def outputs(stack: str) -> dict[str, str]:
    [described] = administrator("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def _of_other_endpoints(document: dict[str, Any], endpoint: str) -> Iterator[dict[str, Any]]:
    for statement in document["Statement"]:
        named = [resource for resource in as_list(statement["Resource"]) if resource.endswith(f":endpoint/{endpoint}")]
        if named:
            wider = [resource.removesuffix(endpoint) + OTHER_ENDPOINTS for resource in named]
            yield {**statement, "Sid": f"{statement['Sid']}Others", "Resource": wider}
