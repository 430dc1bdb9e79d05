"""What users read when AWS refuses, and how often it was asked: a server on loopback answers with faults."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scones_core.aws.algorithms import Hardware
from scones_core.aws.endpoint import SageMakerEndpoints
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.session import ATTEMPTS, Aws
from scones_core.aws.training import SageMakerTraining
from scones_core.aws.workflow import StepFunctions
from scones_core.errors import BadImage, BadInput, NotFound, SconesError, Unavailable

OUTPUTS = {
    "BucketName": "bucket",
    "ClassifyImageStateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:stack-classify_image",
    "SageMakerRoleArn": "arn:aws:iam::123456789012:role/sagemaker",
}
XML = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"


class Faults:
    """What to answer next, and what was asked. After the last fault comes an empty answer with status 200."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str, str, dict[str, object]]] = []
        self.requests: list[str] = []

    def then(self, status: int, code: str, message: str = "because", *, times: int = 1, **more: object) -> None:
        self.answers += [(status, code, message, more)] * times


class Handler(BaseHTTPRequestHandler):
    faults: Faults

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.faults.requests.append(f"{self.command} {self.headers.get('X-Amz-Target', self.path)}")
        status, code, message, more = self.faults.answers.pop(0) if self.faults.answers else (200, "", "", {})
        json_protocol = "X-Amz-Target" in self.headers or self.path.startswith("/endpoints/")
        body = json.dumps({"__type": code, "message": message, "Message": message, **more}) if json_protocol else ""
        if code and not json_protocol:
            body = XML.format(code=code, message=message)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-ErrorType", code)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    faults = Faults()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"faults": faults}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield faults
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def aws(faults: Faults) -> Aws:
    return stack(attempts=2)


def stack(**arguments: object) -> Aws:
    """Its outputs are known already."""
    aws = Aws("stack", **arguments)  # type: ignore[arg-type]
    aws.__dict__["outputs"] = OUTPUTS
    return aws


def refused(ask: Callable[[], object], kind: type[SconesError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        ask()
    text = str(caught.value)
    assert text.count("\n") == 0
    assert text.endswith((".", "!"))


def endpoints(aws: Aws) -> SageMakerEndpoints:
    return SageMakerEndpoints(aws, S3ObjectStore(aws), Hardware(), poll=0)


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (429, "TooManyRequestsException")])
def test_throttling_is_waited_out_as_often_as_configured(faults: Faults, status: int, code: str):
    faults.then(status, code, times=9)
    refused(lambda: S3ObjectStore(stack(attempts=3)).put("k", b"x"), Unavailable, "is throttling s3:PutObject")
    assert len(faults.requests) == 3


def test_a_request_that_is_let_through_at_last_succeeds(faults: Faults, aws: Aws):
    faults.then(400, "ThrottlingException")
    aws.sagemaker.describe_training_job(TrainingJobName="job")
    assert len(faults.requests) == 2


def test_the_app_asks_up_to_five_times_in_adaptive_mode(faults: Faults):
    retries = stack().s3.meta.config.retries
    assert (retries["mode"], retries["total_max_attempts"], ATTEMPTS) == ("adaptive", 5, 5)


def test_a_failing_service_is_asked_again(faults: Faults, aws: Aws):
    faults.then(500, "InternalError", "We encountered an internal error.", times=9)
    refused(lambda: S3ObjectStore(aws).get("k"), Unavailable, "s3:GetObject failed on AWS")
    assert len(faults.requests) == 2


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_are_not_tried_again(faults: Faults, aws: Aws, code: str):
    faults.then(403, code)
    refused(lambda: S3ObjectStore(aws).put("k", b"x"), Unavailable, "credentials have expired: sign in again")
    assert len(faults.requests) == 1


def test_credentials_that_expire_during_an_upload_end_it_with_the_same_words(faults: Faults, aws: Aws):
    faults.then(403, "ExpiredToken", times=100)
    many = ((f"k{number}", b"x") for number in range(100))
    refused(lambda: S3ObjectStore(aws).put_many(many), Unavailable, "credentials have expired")


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"])
def test_credentials_that_aws_does_not_know_are_said_to_be_wrong(faults: Faults, aws: Aws, code: str):
    faults.then(403, code)
    refused(lambda: SageMakerTraining(aws, S3ObjectStore(aws), Hardware()).list(), Unavailable, "check the profile")
    assert len(faults.requests) == 1


def test_a_denied_action_is_named_with_its_resource(faults: Faults, aws: Aws):
    said = "User: arn:aws:iam::1:user/ann is not authorized to perform: states:StartExecution on resource: arn:aws:x"
    faults.then(400, "AccessDeniedException", f"{said} because no identity-based policy allows it")
    refused(
        lambda: StepFunctions(aws).start("classify_image", "name", {}),
        Unavailable,
        "denied states:StartExecution on arn:aws:x: request this permission",
    )
    assert len(faults.requests) == 1


def test_where_aws_does_not_name_the_denied_action_we_do(faults: Faults, aws: Aws):
    faults.then(403, "AccessDenied", "Access Denied")
    refused(lambda: list(S3ObjectStore(aws).list()), Unavailable, "denied s3:ListBucket:")
    faults.then(403, "", "")
    refused(lambda: S3ObjectStore(aws).exists("k"), Unavailable, "denied s3:GetObject:")


def test_a_missing_bucket_is_not_taken_for_a_missing_object(faults: Faults, aws: Aws):
    faults.then(404, "NoSuchBucket", "The specified bucket does not exist")
    refused(lambda: S3ObjectStore(aws).get("k"), NotFound, "stack's bucket does not exist")
    faults.then(404, "NoSuchKey", "The specified key does not exist.")
    refused(lambda: S3ObjectStore(aws).get("k"), NotFound, "No object “k”")
    assert len(faults.requests) == 2


def test_a_bucket_of_another_region_is_said_to_be_elsewhere(faults: Faults, aws: Aws):
    faults.then(301, "PermanentRedirect", "elsewhere", times=9)
    refused(lambda: S3ObjectStore(aws).put("k", b"x"), Unavailable, "is in another region")


def test_an_endpoint_that_is_not_in_service_is_said_to_be_so(faults: Faults, aws: Aws):
    faults.then(400, "ValidationError", "Endpoint e of account 1 not found.")
    refused(lambda: endpoints(aws).invoke("e", b"x", "image/png"), NotFound, "No endpoint “e” in service")
    assert len(faults.requests) == 1


def test_an_endpoint_that_is_overloaded_is_asked_again(faults: Faults, aws: Aws):
    faults.then(503, "ServiceUnavailable", "no capacity", times=9)
    refused(lambda: endpoints(aws).invoke("e", b"x", "image/png"), Unavailable, "sagemaker:InvokeEndpoint")
    assert len(faults.requests) == 2


def test_an_image_that_the_model_cannot_read_is_a_bad_image(faults: Faults, aws: Aws):
    faults.then(424, "ModelError", "failed", OriginalStatusCode=400, OriginalMessage="unsupported image")
    refused(lambda: endpoints(aws).invoke("e", b"x", "image/png"), BadImage, "unsupported image")
    assert len(faults.requests) == 1


def test_a_model_that_fails_is_not_the_images_fault(faults: Faults, aws: Aws):
    faults.then(424, "ModelError", "failed", OriginalStatusCode=500, OriginalMessage="out of memory", times=9)
    refused(lambda: endpoints(aws).invoke("e", b"x", "image/png"), Unavailable, "model failed: out of memory")


def test_a_quota_that_is_used_up_is_named(faults: Faults, aws: Aws):
    faults.then(400, "ResourceLimitExceeded", "The limit 'ml.g4dn.xlarge for training job usage' is 0 Instances")
    refused(
        lambda: aws.sagemaker.create_training_job(
            TrainingJobName="job",
            AlgorithmSpecification={"TrainingInputMode": "File"},
            RoleArn=OUTPUTS["SageMakerRoleArn"] + "-name-of-some-length",
            OutputDataConfig={"S3OutputPath": "s3://bucket/models"},
            ResourceConfig={"VolumeSizeInGB": 1},
            StoppingCondition={},
        ),
        Unavailable,
        "A quota of your AWS account .* 'ml.g4dn.xlarge for training job usage' is 0",
    )
    assert len(faults.requests) == 1


def test_what_aws_would_refuse_is_refused_before_it_is_sent(faults: Faults, aws: Aws):
    refused(lambda: aws.sagemaker.describe_endpoint(EndpointName=7), BadInput, "AWS would refuse")  # type: ignore[arg-type]
    assert faults.requests == []


def test_without_a_network_it_is_said_so(faults: Faults, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    refused(lambda: S3ObjectStore(stack(attempts=1)).put("k", b"x"), Unavailable, "cannot be reached")


@pytest.fixture
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which nobody has ever signed in."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "DEFAULT_REGION", "REGION", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("no_configuration")
def test_without_credentials_it_is_said_how_to_get_some():
    refused(lambda: S3ObjectStore(stack(region="us-east-1")).put("k", b"x"), Unavailable, "No AWS credentials: sign in")


@pytest.mark.usefixtures("no_configuration")
def test_without_a_region_it_is_said_how_to_set_one():
    refused(lambda: SageMakerTraining(stack(), S3ObjectStore(stack()), Hardware()).list(), Unavailable, "SCONES_REGION")


@pytest.mark.usefixtures("no_configuration")
def test_an_unknown_profile_is_named():
    refused(lambda: stack(profile="nobody").sts.get_caller_identity(), Unavailable, "No AWS profile “nobody”")
