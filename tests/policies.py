"""IAM policies of infra/template.yaml: read with their names filled in, and evaluated as IAM evaluates them.

Source: "Policy evaluation logic" and "IAM JSON policy elements" in the IAM user guide.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache
from typing import Any

from tests.contract.stand_in.deployment import template

STACK, REGION, ACCOUNT, BUCKET = "scones-unlimited", "eu-central-1", "123456789012", "scones-bucket"
HERE, OBJECTS = f"{REGION}:{ACCOUNT}", f"arn:aws:s3:::{BUCKET}/"
ENDPOINT = "scones-unlimited"
PSEUDO = {
    "AWS::StackName": STACK,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/5f2e3c10",
}


@dataclass(frozen=True)
class Request:
    """context : values of condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.replace("[", "[[]")), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """`*` and `?` as in IAM."""
    return _pattern(pattern).match(text) is not None


def allows(statements: Iterable[Mapping[str, Any]], request: Request) -> bool:
    """An explicit denial wins over any permission."""
    effects = {statement["Effect"] for statement in statements if applies(statement, request)}
    return effects == {"Allow"}


def applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        any(matches(pattern.lower(), request.action.lower()) for pattern in as_list(statement["Action"]))
        and any(matches(pattern, request.resource) for pattern in as_list(statement["Resource"]))
        and all(_holds(*condition, request.context) for condition in statement.get("Condition", {}).items())
    )


def _holds(operator: str, wanted: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    if operator not in ("StringEquals", "StringLike"):
        raise NotImplementedError(f"no policy of the template has had the condition operator {operator} so far")
    return all(
        key in context and any(matches(value, context[key]) for value in as_list(values))
        for key, values in wanted.items()
    )


class Stack:
    """The template as CloudFormation would deploy it: names and ARNs are filled in."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self.resources: dict[str, Any] = template["Resources"]
        self._parameters = {name: str(p.get("Default", "")) for name, p in template["Parameters"].items()}
        self._outputs = template["Outputs"]

    def outputs(self) -> dict[str, str]:
        return {name: self.resolved(output["Value"]) for name, output in self._outputs.items()}

    def statements(self, name: str) -> list[dict[str, Any]]:
        """What a role's own policies, or a managed policy, say."""
        properties = self.resources[name]["Properties"]
        policies = properties.get("Policies") or [properties]
        return [s for policy in policies for s in self.resolved(policy["PolicyDocument"])["Statement"]]

    def roles(self) -> Iterator[str]:
        return (name for name, resource in self.resources.items() if resource["Type"] == "AWS::IAM::Role")

    def resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.resolved(one) for one in value]
        if not isinstance(value, dict):
            return value
        if value == {"Ref": "Bucket"}:  # by its name; everything else by its ARN
            return BUCKET
        if "Ref" in value:
            return self._named(value["Ref"])
        if "Fn::GetAtt" in value:
            return self._named(".".join(as_list(value["Fn::GetAtt"])))
        if "Fn::Sub" in value:
            return re.sub(r"\$\{([\w.:]+)\}", lambda found: self._named(found[1]), value["Fn::Sub"])
        return {key: self.resolved(one) for key, one in value.items()}

    def _named(self, name: str) -> str:
        known = {**PSEUDO, **self._parameters}
        return known[name] if name in known else self._arn(name.removesuffix(".Arn"))

    def _arn(self, logical: str) -> str:
        resource = self.resources[logical]
        of = resource["Properties"]
        here = f"{REGION}:{ACCOUNT}"
        arns = {
            "AWS::S3::Bucket": lambda: f"arn:aws:s3:::{BUCKET}",
            "AWS::Logs::LogGroup": lambda: f"arn:aws:logs:{here}:log-group:{self.resolved(of['LogGroupName'])}:*",
            "AWS::Serverless::Function": lambda: f"arn:aws:lambda:{here}:function:{self.resolved(of['FunctionName'])}",
            "AWS::Serverless::StateMachine": lambda: f"arn:aws:states:{here}:stateMachine:{self.resolved(of['Name'])}",
            "AWS::IAM::Role": lambda: f"arn:aws:iam::{ACCOUNT}:role/{STACK}-{logical}",
            "AWS::IAM::ManagedPolicy": lambda: f"arn:aws:iam::{ACCOUNT}:policy/{STACK}-{logical}",
            "AWS::SNS::Topic": lambda: f"arn:aws:sns:{here}:{STACK}-{logical}",
            "AWS::CloudWatch::Alarm": lambda: f"arn:aws:cloudwatch:{here}:alarm:{self.resolved(of['AlarmName'])}",
            "AWS::CloudWatch::Dashboard": lambda: self.resolved(of["DashboardName"]),
        }
        return arns[resource["Type"]]()


@cache
def stack() -> Stack:
    return Stack(template())


def check(policy: str, needs: list[Request]) -> None:
    """Everything needed is allowed; and each action on each resource of the policy is needed."""
    statements = stack().statements(policy)
    assert [str(need) for need in needs if not allows(statements, need)] == []
    unused = [
        f"{one} on {resource}"
        for statement in statements
        for one in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if not any(applies({**statement, "Action": one, "Resource": resource}, need) for need in needs)
    ]
    # The resources of a statement are of several kinds, each for some of its actions only.
    idle = [one for one in unused if not _used_elsewhere(statements, one, needs)]
    assert idle == []


def _used_elsewhere(statements: list[dict[str, Any]], unused: str, needs: list[Request]) -> bool:
    """Whether the action is needed on another resource of its statement, and the resource for another action of it."""
    one, _, resource = unused.partition(" on ")
    for statement in statements:
        if one in as_list(statement["Action"]) and resource in as_list(statement["Resource"]):
            for_action = any(applies({**statement, "Action": one}, need) for need in needs)
            for_resource = any(applies({**statement, "Resource": resource}, need) for need in needs)
            return for_action and for_resource
    return False
