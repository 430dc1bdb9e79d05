"""Translation of AWS errors into SconesErrors; the only module that reads AWS error codes."""

import re
from collections.abc import Mapping
from typing import Any

from botocore import exceptions as boto
from botocore.model import ServiceModel

from scones_core.errors import BadDefinition, BadImage, BadInput, Conflict, NotFound, SconesError, Unavailable

EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
REFUSED = {
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
DENIED = {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
THROTTLED = {
    "KmsThrottlingException",
    "RequestLimitExceeded",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
MISSING = {
    "404",
    "ExecutionDoesNotExist",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "NotFound",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
}
TAKEN = {
    "ConditionalRequestConflict",
    "ConflictException",
    "ExecutionAlreadyExists",
    "PreconditionFailed",
    "PreconditionFailedException",
    "ResourceConflictException",
    "ResourceInUse",
    "StateMachineAlreadyExists",
}
FULL = {"ExecutionLimitExceeded", "LimitExceededException", "ResourceLimitExceeded", "ServiceQuotaExceededException"}
INVALID = {
    "InvalidArn",
    "InvalidExecutionInput",
    "InvalidName",
    "InvalidParameterValueException",
    "InvalidRange",
    "InvalidRequest",
}
VALIDATION = {"ValidationError", "ValidationException"}  # SageMaker and CloudFormation say everything with these

# Where the IAM action is not named as the operation: https://docs.aws.amazon.com/service-authorization/
ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
}
PREFIXES = {"sagemaker-runtime": "sagemaker", "runtime.sagemaker": "sagemaker", "monitoring": "cloudwatch"}


def explained(error: Exception, model: ServiceModel, operation: str) -> SconesError:
    """The error to raise instead of botocore's `error`, which is kept as its cause."""
    if isinstance(error, boto.ClientError):
        return _answered(error, action(model, operation))
    return unanswered(error)


def code(error: BaseException | None) -> str:
    """AWS's error code behind an error of this module; empty when there is none."""
    cause = error.__cause__ if error else None
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, boto.ClientError) else ""


def action(model: ServiceModel, operation: str) -> str:
    """The IAM action of an operation, as `s3:GetObject`."""
    prefix = PREFIXES.get(model.endpoint_prefix, model.signing_name)
    return ACTIONS.get(f"{prefix}:{operation}", f"{prefix}:{operation}")


def _answered(error: boto.ClientError, action: str) -> SconesError:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in EXPIRED:
        return Unavailable(
            "Your AWS credentials have expired: sign in again (e.g. aws sso login) and retry; nothing was lost."
        )
    if code in REFUSED:
        return Unavailable(f"AWS does not accept the credentials ({code}): check the profile and sign in again.")
    if code in DENIED:
        return _denied(message, action)
    if code in THROTTLED:
        return Unavailable(f"AWS is throttling {action}: try again in a minute.")
    return _about_the_request(code, message, action, error.response) or _failed(code, message, action, status)


def _denied(message: str, action: str) -> SconesError:
    said = re.search(r"not authorized to perform: ([\w-]+:\w+)(?: on resource: \"?([^\s\"]+))?", message)
    named = said[1] if said else action
    on = f" on {said[2]}" if said and said[2] else ""
    return Unavailable(f"AWS denied {named}{on}: request this permission; infra/README.md lists what the app needs.")


def _about_the_request(code: str, message: str, action: str, response: Any) -> SconesError | None:
    if code == "NoSuchBucket":
        return NotFound("The stack's bucket does not exist: deploy the stack again (infra/README.md).")
    if code in MISSING or (code in VALIDATION and re.search(r"not find|not found|not exist", message)):
        return NotFound(f"Not found on AWS ({action}): {_sentence(message)}")
    if code in TAKEN or (code in VALIDATION and re.search(r"already exist", message)):
        return Conflict(f"AWS refused {action}, because it already exists: {_sentence(message)}")
    if code in FULL:
        return Unavailable(f"A quota of your AWS account does not allow {action}: {_sentence(message)}")
    if code == "InvalidDefinition":
        return BadDefinition(f"Step Functions refused the definition: {_sentence(message)}")
    if code == "ModelError":
        return _model_error(response)
    if code in INVALID or code in VALIDATION:
        return BadInput(f"AWS refused {action}: {_sentence(message)}")
    return None


def _model_error(response: Mapping[str, Any]) -> SconesError:
    """An error of the model's container; its status code is inside the AWS error."""
    said = _sentence(str(response.get("OriginalMessage") or response["Error"].get("Message", "")))
    if 400 <= int(response.get("OriginalStatusCode") or 0) < 500:
        return BadImage(f"The model cannot read the image: {said}")
    return Unavailable(f"The model failed: {said}")


def _failed(code: str, message: str, action: str, status: int) -> SconesError:
    if status == 301 or code in ("PermanentRedirect", "IllegalLocationConstraintException"):
        return Unavailable("The stack's bucket is in another region: set SCONES_REGION to the stack's region.")
    return Unavailable(f"{action} failed on AWS ({code or status}): {_sentence(message)}")


def unanswered(error: Exception) -> SconesError:
    """The error for a request that got no answer from AWS."""
    if isinstance(error, boto.NoRegionError):
        return Unavailable("No AWS region: set SCONES_REGION, such as us-east-1, or a region in your AWS profile.")
    if isinstance(error, boto.ProfileNotFound):
        return Unavailable(f"No AWS profile “{error.kwargs['profile']}”: set SCONES_PROFILE to an existing one.")
    if isinstance(error, boto.SSOError | boto.TokenRetrievalError):
        return Unavailable("Your AWS sign-in has expired: sign in again with aws sso login; nothing was lost.")
    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError | boto.CredentialRetrievalError):
        return Unavailable("No AWS credentials: sign in (aws sso login, aws configure) or set SCONES_PROFILE.")
    if isinstance(error, boto.ParamValidationError):
        return BadInput(f"AWS would refuse the request: {_sentence(str(error))}")
    if isinstance(error, boto.HTTPClientError | boto.ConnectionError):
        return Unavailable("AWS cannot be reached: check the network and try again.")
    return Unavailable(f"The request to AWS failed: {_sentence(str(error))}")


def _sentence(message: str) -> str:
    """The AWS message on one line, with a full stop."""
    words = " ".join(message.split())[:500] or "no reason was given"
    return words if words.endswith((".", "!")) else f"{words}."
