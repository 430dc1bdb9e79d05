"""Endpoints on SageMaker, with data capture into the bucket."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

from scones_core.aws import models
from scones_core.aws.algorithms import Hardware
from scones_core.aws.errors import unanswered
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.scaling import Scaling
from scones_core.aws.session import Aws, resource_name, utc
from scones_core.aws.transform import BatchTransform, parsed
from scones_core.aws.ttl_cache import TtlCache
from scones_core.aws.waiting import until_deleted, until_in_service
from scones_core.errors import Conflict, NotFound, Unavailable
from scones_core.ports import Endpoint, EndpointConfig, Trial

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef, ProductionVariantSummaryTypeDef

CAPTURE_PREFIX = "captures/"
TERMINATION_WAIT = 60  # seconds the old instances stay after the traffic has moved
POLL = 15.0  # polling interval in seconds while an endpoint is created or updated, which takes minutes
# DescribeEndpoint's statuses that the port does not have.
STATUSES = {
    "OutOfService": "Failed",
    "RollingBack": "Updating",
    "SystemUpdating": "Updating",
    "UpdateRollbackFailed": "Failed",
}
IN_CHANGE = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class SageMakerEndpoints:
    """poll : polling interval in seconds. `deploy` returns once the new model is in service."""

    capture_prefix = CAPTURE_PREFIX

    def __init__(self, aws: Aws, objects: S3ObjectStore, machines: Hardware, *, poll: float = POLL) -> None:
        self._aws = aws
        self._objects = objects
        self._machines = machines
        self._poll = poll
        self._models = models.Models(aws, objects, machines)
        self._batch = BatchTransform(aws, objects, self._models, machines.endpoint, poll=poll)
        self._scaling = Scaling(aws, machines.most_instances)
        # By the name of an endpoint configuration, which cannot be changed: what its variants serve.
        self._configs: TtlCache[Sequence[EndpointConfig]] = TtlCache(0, lambda _: True)

    def deploy(self, name: str, config: EndpointConfig) -> Endpoint:
        wanted = self._create_config(name, config)
        before = self._at_rest(name)
        if before and before["EndpointStatus"] == "InService" and len(before.get("ProductionVariants", [])) > 1:
            self.set_trial(name, None)  # first, for alarms watch an update only where the variants' names stay
        return self._serve(name, wanted, config.variant)

    def set_trial(self, name: str, trial: Trial | None) -> Endpoint:
        self._at_rest(name)
        found = self._get(name)
        if trial is None:
            return self._serve(name, self._create_config(name, found.config), found.config.variant)
        if found.trial and found.trial.config == trial.config:
            return self._reweigh(found, trial)
        wanted = self._create_config(name, found.config, trial)
        return self._serve(name, wanted, found.config.variant, trial.config.variant)

    def _serve(self, name: str, wanted: str, *variants: str) -> Endpoint:
        """Update the endpoint to a configuration with these variants, and wait until it is in service."""
        before = self._aws.endpoint(name)
        if before and before["EndpointStatus"] in ("Failed", "OutOfService"):
            self.delete(name)
            until_deleted(self._aws, name, poll=self._poll)
            before = None
        if before is None:
            self._aws.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=wanted, Tags=self._tags())
        elif before["EndpointConfigName"] != wanted or before["EndpointStatus"] == "UpdateRollbackFailed":
            self._scaling.withdraw(name, keep=variants)
            present = {variant["VariantName"] for variant in before.get("ProductionVariants", [])}
            self._update(name, wanted, watched=present == set(variants))
        until_in_service(self._aws, name, poll=self._poll)
        for variant in variants:
            self._scaling.apply(name, variant)
        return self._serving(name, wanted)

    def _reweigh(self, endpoint: Endpoint, trial: Trial) -> Endpoint:
        """Change the share of a running trial; its instances stay."""
        self._aws.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint.name,
            DesiredWeightsAndCapacities=[
                {"VariantName": served.variant, "DesiredWeight": weight}
                for served, weight in _weighted(endpoint.config, trial)
            ],
        )
        until_in_service(self._aws, endpoint.name, poll=self._poll)
        return self._get(endpoint.name)

    def describe(self, name: str) -> Endpoint | None:
        found = self._aws.endpoint_just_now(name)
        if found is None or found["EndpointStatus"] == "Deleting":
            return None
        wanted = found["EndpointConfigName"]
        champion, *others = self._configs.get(wanted, lambda: self._served(wanted))
        return Endpoint(
            name=name,
            status=STATUSES.get(found["EndpointStatus"], found["EndpointStatus"]),
            config=champion,
            trial=_trial(others, found.get("ProductionVariants", [])),
            created=utc(found["CreationTime"]),
            updated=utc(found["LastModifiedTime"]),
            failure_reason=found.get("FailureReason"),
        )

    def invoke(
        self,
        name: str,
        body: bytes,
        content_type: str,
        *,
        inference_id: str | None = None,
        custom_attributes: str | None = None,
    ) -> list[float]:
        told = {"InferenceId": inference_id, "CustomAttributes": custom_attributes}
        given: Any = {key: value for key, value in told.items() if value}
        try:
            answer = self._aws.runtime.invoke_endpoint(
                EndpointName=name, Body=body, ContentType=content_type, Accept="application/json", **given
            )
        except NotFound:
            raise NotFound(f"No endpoint “{name}” in service: deploy a model, or wait for it.") from None
        try:
            return parsed(answer["Body"].read())
        except BotoCoreError as error:
            raise unanswered(error) from error

    def transform(self, config: EndpointConfig, keys: Sequence[str]) -> Sequence[Sequence[float]]:
        return self._batch.run(config, keys)

    def delete(self, name: str) -> None:
        try:
            self._scaling.withdraw(name)
            self._aws.sagemaker.delete_endpoint(EndpointName=name)
        except NotFound:
            pass
        self._aws.endpoints.forget(name)

    def _create_config(self, name: str, config: EndpointConfig, trial: Trial | None = None) -> str:
        """Create the endpoint configuration, named by its contents, and return its name."""
        contents = {
            "ProductionVariants": [
                {
                    "VariantName": served.variant,
                    "ModelName": self._models.create(served),
                    "InstanceType": self._machines.endpoint,
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": weight,
                }
                for served, weight in _weighted(config, trial)
            ],
            "DataCaptureConfig": self._capture(config.capture_percentage),
        }
        digest = hashlib.sha256(json.dumps([name, contents], sort_keys=True).encode()).hexdigest()
        wanted = resource_name(self._aws.stack, config.model, digest)
        with suppress(Conflict):  # the same contents have been here before
            self._aws.sagemaker.create_endpoint_config(
                EndpointConfigName=wanted,
                Tags=self._tags(),
                **contents,  # type: ignore[arg-type]  # a plain dict, to be digested
            )
        return wanted

    def _capture(self, percentage: int) -> dict[str, Any]:
        """Images are stored as BASE64; the answers, which are JSON, as they are."""
        return {
            "EnableCapture": percentage > 0,
            "InitialSamplingPercentage": percentage,
            "DestinationS3Uri": self._objects.uri(CAPTURE_PREFIX.rstrip("/")),
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        }

    def _update(self, name: str, wanted: str, *, watched: bool) -> None:
        """Blue/green: all traffic shifts to the new instances at once, and back if an alarm fires.

        watched : by the alarms, which SageMaker allows only where the variants' names stay the same; without them it
        moves the traffic in the same way. Source: "Exclusions" of deployment guardrails in the developer guide.
        """
        alarms = [alarm for alarm in self._aws.output("RollbackAlarms").split(",") if alarm]
        guardrails: Any = {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
                "TerminationWaitInSeconds": TERMINATION_WAIT,
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm} for alarm in alarms]},
        }
        self._aws.sagemaker.update_endpoint(
            EndpointName=name,
            EndpointConfigName=wanted,
            **({"DeploymentConfig": guardrails} if watched else {}),
            # How many instances there are is for the scaling policy to say, not for the configuration.
            RetainAllVariantProperties=self._machines.most_instances > 1,
            # The reference knows DataCaptureConfig here too, as “not currently supported”: it is never retained.
            ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}]
            if self._machines.most_instances > 1
            else [],
        )

    def _serving(self, name: str, wanted: str) -> Endpoint:
        now = self._aws.endpoint(name)
        found = self.describe(name)
        if found is None or now is None or now["EndpointConfigName"] != wanted:
            raise Unavailable(
                f"The deployment was rolled back; the previous model is still serving on “{name}”. Check the "
                "endpoint's alarms."
            )
        return found

    def _at_rest(self, name: str) -> "DescribeEndpointOutputTypeDef | None":
        found = self._aws.endpoint(name)
        if found and found["EndpointStatus"] in IN_CHANGE:
            raise Conflict(f"The endpoint “{name}” is {found['EndpointStatus']}: wait until it is InService.")
        return found

    def _get(self, name: str) -> Endpoint:
        self._aws.endpoint(name)  # a change must not start from a cached state
        found = self.describe(name)
        if found is None:
            raise NotFound(f"No endpoint “{name}”: deploy a model first.")
        return found

    def _served(self, name: str) -> Sequence[EndpointConfig]:
        """Read back what was deployed, from the endpoint configuration and the models it names; the champion first."""
        found = self._aws.sagemaker.describe_endpoint_config(EndpointConfigName=name)
        capture = found.get("DataCaptureConfig")
        percentage = capture["InitialSamplingPercentage"] if capture and capture["EnableCapture"] else 0
        variants = found["ProductionVariants"]
        return [self._config(variant["VariantName"], variant["ModelName"], percentage) for variant in variants]

    def _config(self, variant: str, name: str, capture_percentage: int) -> EndpointConfig:
        model = self._aws.sagemaker.describe_model(ModelName=name)["PrimaryContainer"]
        noted = model.get("Environment", {})
        return EndpointConfig(
            model=noted.get(models.LABEL, name),
            artifact_key=noted.get(models.KEY, self._objects.key_of(model.get("ModelDataUrl", ""))),
            artifact_sha256=noted.get(models.SHA256, ""),
            variant=variant,
            capture_percentage=capture_percentage,
        )

    def _tags(self) -> Any:
        return [{"Key": "scones:stack", "Value": self._aws.stack}]


def _weighted(config: EndpointConfig, trial: Trial | None) -> Sequence[tuple[EndpointConfig, float]]:
    """What is served, with the variants' weights, which sum to 1; the champion first."""
    if trial is None:
        return [(config, 1.0)]
    return [(config, round(1 - trial.share, 4)), (trial.config, trial.share)]


def _trial(others: Sequence[EndpointConfig], variants: "Sequence[ProductionVariantSummaryTypeDef]") -> Trial | None:
    """The first of the variants beside the champion that is there, with its part of all weights."""
    weights = {variant["VariantName"]: variant.get("CurrentWeight", 0.0) for variant in variants}
    total = sum(weights.values()) or 1.0
    return next((Trial(c, round(weights[c.variant] / total, 4)) for c in others if c.variant in weights), None)
