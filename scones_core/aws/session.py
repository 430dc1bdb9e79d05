"""Clients of AWS, and the outputs of the stack they work on."""

import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from scones_core.aws.errors import explained, unanswered
from scones_core.aws.ttl_cache import TtlCache
from scones_core.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

ATTEMPTS = 5  # the first and its retries, with botocore's exponential backoff between them
CONNECTIONS = 32  # at once, per service
JUST_NOW = 2.0  # seconds
# For data that pages can do without: one attempt, short timeout.
BRIEFLY = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})


class _InPlainWords:
    """First base class of every client, so that every AWS error is translated."""

    meta: Any

    def _make_api_call(self, operation_name: str, api_params: Any) -> Any:
        try:
            return super()._make_api_call(operation_name, api_params)  # type: ignore[misc]
        except (ClientError, BotoCoreError) as error:
            raise explained(error, self.meta.service_model, operation_name) from error


def _explain(base_classes: list[type], **_: Any) -> None:
    base_classes.insert(0, _InPlainWords)


class Aws:
    """One stack in one account and region. Clients are made when first asked for, and may be used by many threads.

    stack : name of the CloudFormation stack of `infra/template.yaml`.
    region, profile : None takes what the ordinary chain of environment variables and profiles gives.
    attempts : how often a request is made at the most; botocore counts and waits (its adaptive mode).
    """

    def __init__(
        self, stack: str, *, region: str | None = None, profile: str | None = None, attempts: int = ATTEMPTS
    ) -> None:
        self.stack = stack
        self._region = region
        self._profile = profile
        self._config = Config(
            retries={"mode": "adaptive", "total_max_attempts": attempts},
            connect_timeout=5,
            read_timeout=65,  # an endpoint may take 60 s to answer
            max_pool_connections=CONNECTIONS,
            user_agent_extra="scones-unlimited",
        )
        self._making = threading.Lock()
        # By the name of an endpoint: what DescribeEndpoint said, None where there is none. A page asks many times.
        self.endpoints: TtlCache[DescribeEndpointOutputTypeDef | None] = TtlCache(JUST_NOW, lambda _: False)

    @cached_property
    def session(self) -> boto3.Session:
        """The credential chain's session. Raises Unavailable."""
        try:
            session = boto3.Session(region_name=self._region, profile_name=self._profile)
        except BotoCoreError as error:
            raise unanswered(error) from error
        session.events.register("creating-client-class", _explain)
        return session

    @property
    def region(self) -> str:
        """Raises Unavailable when none is set."""
        return self.sagemaker.meta.region_name

    def _client(self, service: str, *, region: str | None = None, config: Config | None = None) -> Any:
        config = self._config.merge(config) if config else self._config
        with self._making:  # making a client is not safe among threads, using it is
            try:
                return self.session.client(service, region_name=region, config=config)  # type: ignore[call-overload]
            except BotoCoreError as error:
                raise unanswered(error) from error

    def endpoint(self, name: str) -> "DescribeEndpointOutputTypeDef | None":
        """An endpoint as it is described now; None where there is none."""
        try:
            found = self.sagemaker.describe_endpoint(EndpointName=name)
        except NotFound:
            return self.endpoints.put(name, None)
        return self.endpoints.put(name, found)

    def endpoint_just_now(self, name: str) -> "DescribeEndpointOutputTypeDef | None":
        """The same, as it was described within the last seconds."""
        return self.endpoints.get(name, lambda: self.endpoint(name))

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """Outputs of the stack, as `{"BucketName": …}`. Raises NotFound, Unavailable."""
        try:
            [described] = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        except NotFound:
            raise NotFound(
                f"No stack “{self.stack}” in {self.region}: deploy it (infra/README.md), or set SCONES_STACK."
            ) from None
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    def output(self, name: str) -> str:
        """One output of the stack. Raises NotFound."""
        try:
            return self.outputs[name]
        except KeyError:
            raise NotFound(
                f"The stack “{self.stack}” has no output {name}: update it with sam deploy (infra/README.md)."
            ) from None

    @cached_property
    def s3(self) -> "S3Client":
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def sagemaker(self) -> "SageMakerClient":
        client: SageMakerClient = self._client("sagemaker")
        return client

    @cached_property
    def runtime(self) -> "SageMakerRuntimeClient":
        client: SageMakerRuntimeClient = self._client("sagemaker-runtime")
        return client

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        client: SFNClient = self._client("stepfunctions")
        return client

    @cached_property
    def functions(self) -> "LambdaClient":
        client: LambdaClient = self._client("lambda")
        return client

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        client: CloudFormationClient = self._client("cloudformation")
        return client

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        client: CloudWatchLogsClient = self._client("logs")
        return client

    @cached_property
    def sns(self) -> "SNSClient":
        client: SNSClient = self._client("sns")
        return client

    @cached_property
    def sts(self) -> "STSClient":
        client: STSClient = self._client("sts")
        return client

    @cached_property
    def iam(self) -> "IAMClient":
        client: IAMClient = self._client("iam")
        return client

    @cached_property
    def quotas(self) -> "ServiceQuotasClient":
        client: ServiceQuotasClient = self._client("service-quotas")
        return client

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        client: CloudWatchClient = self._client("cloudwatch", config=BRIEFLY)
        return client

    @cached_property
    def pricing(self) -> Any:
        """The price list of all regions, which a few regions answer for. Raises NotFound."""
        region = self.region
        answering = self.session.get_available_regions("pricing", self.sagemaker.meta.partition)
        if not answering:
            raise NotFound(f"AWS has no price list API for {region}: see aws.amazon.com/sagemaker/pricing.")
        continent = region.partition("-")[0]
        nearest = min(answering, key=lambda r: (r != region, r.partition("-")[0] != continent, r != "us-east-1"))
        return self._client("pricing", region=nearest, config=BRIEFLY)

    @cached_property
    def autoscaling(self) -> "ApplicationAutoScalingClient":
        client: ApplicationAutoScalingClient = self._client("application-autoscaling")
        return client


def utc(time: datetime) -> datetime:
    """botocore gives times in the machine's own zone."""
    return time.astimezone(UTC)


def resource_name(stack: str, label: str, digest: str) -> str:
    """A name that SageMaker takes (63 letters, digits and hyphens), the same for the same contents."""
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", f"{stack}-{label}").strip("-")[:42].rstrip("-")
    return f"{readable}-{digest[:16]}"
