"""Small things that moto lacks in IAM, Service Quotas and Step Functions."""

import json
import uuid
from typing import Any

from moto.awslambda.exceptions import PreconditionFailedException
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException

from tests.contract.stand_in import iam
from tests.policies import Request, allows

QUOTAS = {
    "ml.g4dn.xlarge for training job usage": 1.0,
    "ml.m5.large for training job usage": 4.0,
    "ml.m5.large for endpoint usage": 2.0,
    "ml.m5.large for transform job usage": 2.0,
}


def list_service_quotas(self: Any) -> ActionResult:
    return ActionResult({"Quotas": [{"QuotaName": name, "Value": value} for name, value in QUOTAS.items()]})


class NoSuchEntity(ServiceException):
    code = "NoSuchEntity"


def simulate_principal_policy(self: Any) -> ActionResult:
    [resource] = self._get_param("ResourceArns") or ["*"]
    entries = self._get_param("ContextEntries") or []
    context = {entry["ContextKeyName"]: entry["ContextKeyValues"][0] for entry in entries}
    try:
        statements = iam.statements_of(self._get_param("PolicySourceArn"))
    except NotFoundException:
        raise NoSuchEntity("The role does not exist.") from None
    results = [
        {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": "allowed" if allows(statements, Request(action, resource, context)) else "implicitDeny",
        }
        for action in self._get_param("ActionNames")
    ]
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


class InvalidDefinition(ServiceException):
    code = "InvalidDefinition"


def validate_definition(definition: str) -> None:
    """As moto's own, which leaves out the error's code."""
    try:
        AmazonStateLanguageParser.parse(definition)
    except ASLParserException as error:
        raise InvalidDefinition(f"SCHEMA_VALIDATION_FAILED: {error!r}") from error


def get_configuration(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """A function has a revision, which changes with its variables."""
    return {**original(self, *args, **kwargs), "RevisionId": revision(self)}


def update_configuration(original: Any, self: Any, config_updates: dict[str, Any]) -> Any:
    """Whoever names a revision that is no longer the present one is refused."""
    if config_updates.get("RevisionId") not in (None, revision(self)):
        raise PreconditionFailedException("The Revision Id provided does not match the latest Revision Id.")
    return original(self, config_updates)


def revision(function: Any) -> str:
    text = json.dumps(function.environment_vars, sort_keys=True)
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


class ResourceNotFound(ServiceException):
    code = "ResourceNotFound"


def describe_map_run(original: Any, self: Any, map_run_arn: str) -> Any:
    """moto means to say that there is none, and fails at it."""
    try:
        return original(self, map_run_arn)
    except TypeError:
        raise ResourceNotFound(f"Resource not found: '{map_run_arn}'") from None


def describe_state_machine_for_execution(original: Any, self: Any) -> Any:
    """moto answers with the state machine as it is now, not as it was when the execution started."""
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    return ActionResult({**original(self).result, "definition": execution.state_machine.definition})


def stop_execution(original: Any, self: Any) -> Any:
    """moto forgets why an execution was stopped."""
    answer = original(self)
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    execution.error, execution.cause = self._get_param("error"), self._get_param("cause")
    return answer
