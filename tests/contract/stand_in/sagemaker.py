"""SageMaker with the real classifier behind it. Each function takes the place of a method of moto's."""

import json
import random
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.sagemaker.exceptions import ResourceInUseException, ValidationError
from moto.sagemaker.models import sagemaker_backends

from scones_core.aws.algorithms import KNOWN
from scones_core.domain import capture
from scones_core.errors import BadImage
from tests.contract.stand_in import iam, others, roles
from tests.contract.stand_in.containers import Answering, Training, fetched, split
from tests.policies import Request, allows

_jobs: dict[str, Training] = {}
_answering: dict[str, Answering] = {}
updates: list[Any] = []  # how endpoints were to be updated
ALARMS_GO_OFF = "alarms go off"  # stands among the updates while they do

# Jobs and endpoints


def create_training_job(original: Any, self: Any, **asked: Any) -> Any:
    name = asked["training_job_name"]
    if name in self.training_jobs:
        raise ResourceInUseException(message=f"Training job names must be unique; {name} exists already")
    script = "sagemaker_program" in asked["hyper_parameters"]
    if not script and (unknown := set(asked["hyper_parameters"]) - KNOWN):
        raise ValidationError(message=f"Additional hyperparameters are not allowed: {sorted(unknown)}")
    if not script:
        _check_sizes(asked["hyper_parameters"])
    definitions = asked["algorithm_specification"].get("MetricDefinitions", [])
    job = original(self, **asked)
    job.algorithm_specification["MetricDefinitions"] = definitions
    job.final_metric_data_list = []
    job.training_job_status, job.secondary_status = "InProgress", "Starting"
    job.training_start_time = job.training_end_time = None
    _jobs[name] = Training(job)
    _jobs[name].start()
    return job


def _check_sizes(given: dict[str, str]) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html"""
    if missing := {"num_classes", "num_training_samples", "resize"} - set(given):
        raise ValidationError(message=f"Required hyperparameters are missing: {sorted(missing)}")
    if int(given["resize"]) <= max(map(int, given["image_shape"].split(",")[1:])):
        raise ValidationError(message="resize must be larger than the sides of image_shape")


def stop_training_job(self: Any) -> ActionResult:
    job = self.sagemaker_backend.training_jobs.get(self._get_param("TrainingJobName"))
    if job is None:
        raise ValidationError(message="Requested resource not found.")
    if job.training_job_status != "InProgress":
        raise ValidationError(message=f"The request was rejected because the job is {job.training_job_status}.")
    _jobs[job.training_job_name].stop()
    return ActionResult({})


def list_training_jobs(original: Any, self: Any, **asked: Any) -> Any:
    answer = original(self, **asked)
    for summary in answer["TrainingJobSummaries"]:
        if summary["TrainingEndTime"] is None:
            del summary["TrainingEndTime"]
    answer["TrainingJobSummaries"].sort(key=lambda job: job["CreationTime"], reverse=True)
    return answer


def create_transform_job(original: Any, self: Any, **asked: Any) -> Any:
    if asked["transform_job_name"] in self.transform_jobs:
        raise ResourceInUseException(message="Transform job names must be unique.")
    if others.QUOTAS[f"{asked['transform_resources']['InstanceType']} for transform job usage"] < 1:
        raise ResourceLimitExceeded(
            f"The account-level service limit '{asked['transform_resources']['InstanceType']} for transform job usage' "
            "is 0 Instances, with current utilization of 0 Instances and a request delta of 1 Instances."
        )
    job = original(self, **asked)
    model, role = _container(self, asked["model_name"]), _role(self, asked["model_name"])
    given, wanted = asked["transform_input"], asked["transform_output"]
    first, *names = json.loads(fetched(given["DataSource"]["S3DataSource"]["S3Uri"], role))
    bucket, output = split(wanted["S3OutputPath"])
    for name in names:
        try:
            answer, _ = model.answer(fetched(first["prefix"] + name, role), given["ContentType"], wanted["Accept"])
        except BadImage as error:
            job.transform_job_status, job.failure_reason = "Failed", f"ClientError: {name}: {error}"
            continue
        s3 = roles.client("s3", role)
        s3.put_object(Bucket=bucket, Key=f"{output.rstrip('/')}/{name}.out", Body=answer.encode())
    return job


def create_endpoint(original: Any, self: Any, **asked: Any) -> Any:
    if asked["endpoint_name"] in self.endpoints:
        raise ValidationError(message=f"Cannot create already existing endpoint {asked['endpoint_name']}")
    endpoint = original(self, **asked)
    endpoint.endpoint_status = "Creating"
    return endpoint


def describe_endpoint(original: Any, self: Any, endpoint_name: str) -> Any:
    """Whoever looks a second time sees that it has come into service."""
    answer = original(self, endpoint_name)
    endpoint = self.endpoints[endpoint_name]
    if endpoint.endpoint_status in ("Creating", "Updating"):
        endpoint.endpoint_status = "InService"
        endpoint.last_modified_time = datetime.now(UTC).replace(tzinfo=None)
    return answer


def update_endpoint(self: Any) -> ActionResult:
    """While alarms go off, the endpoint keeps what it has; none watch where the variants' names change."""
    backend, name = self.sagemaker_backend, self._get_param("EndpointName")
    if name not in backend.endpoints:
        raise ValidationError(message=f"Could not find endpoint '{name}'.")
    endpoint, wanted = backend.endpoints[name], self._get_param("EndpointConfigName")
    config = backend.describe_endpoint_config(wanted)
    if endpoint.endpoint_config_name == wanted:
        raise ValidationError(message="Cannot update the endpoint to the configuration that it has.")
    before, after = (_names(variants) for variants in (endpoint.production_variants, config["ProductionVariants"]))
    if before != after and self._get_param("DeploymentConfig"):
        raise ValidationError(message="The new endpoint configuration must have the same variant names as the old.")
    if scaling := [variant for variant in _scaled(name) if variant not in after]:
        raise ValidationError(message=f"Deregister {scaling} as scalable targets before they are removed.")
    for excluded in self._get_param("ExcludeRetainedVariantProperties") or []:
        if excluded["VariantPropertyType"] not in ("DesiredInstanceCount", "DesiredWeight"):
            raise ValidationError(message=f"{excluded['VariantPropertyType']} is not currently supported.")
    _watch_alarms(backend, endpoint, self._get_param("DeploymentConfig"))
    updates.append({name: self._get_param(name) for name in ("DeploymentConfig", "RetainAllVariantProperties")})
    endpoint.endpoint_status = "Updating"
    if ALARMS_GO_OFF not in updates or before != after:
        endpoint.endpoint_config_name = wanted
        endpoint.data_capture_config = config["DataCaptureConfig"]
        endpoint.production_variants = endpoint._process_production_variants(config["ProductionVariants"])
    return ActionResult({"EndpointArn": endpoint.arn})


def update_endpoint_weights_and_capacities(
    original: Any, self: Any, endpoint_name: str, desired_weights_and_capacities: list[dict[str, Any]]
) -> Any:
    """Instances that are not spoken of stay."""
    endpoint = self.endpoints[endpoint_name]
    there = {variant["VariantName"]: variant["DesiredInstanceCount"] for variant in endpoint.production_variants}
    asked = [{"DesiredInstanceCount": there.get(one["VariantName"]), **one} for one in desired_weights_and_capacities]
    answer = original(self, endpoint_name, asked)
    endpoint.endpoint_status = "Updating"
    return answer


def _watch_alarms(backend: Any, endpoint: Any, deployment: dict[str, Any] | None) -> None:
    """In the role of the endpoint's models."""
    config = backend.describe_endpoint_config(endpoint.endpoint_config_name)
    role = iam.statements_of(_role(backend, config["ProductionVariants"][0]["ModelName"]))
    for alarm in (deployment or {}).get("AutoRollbackConfiguration", {}).get("Alarms", []):
        arn = f"arn:aws:cloudwatch:{iam.HERE}:alarm:{alarm['AlarmName']}"
        if not allows(role, Request("cloudwatch:DescribeAlarms", arn)):
            raise ValidationError(message=f"The role of the model may not perform cloudwatch:DescribeAlarms on {arn}.")


def _names(variants: list[dict[str, Any]]) -> set[str]:
    return {variant["VariantName"] for variant in variants}


def _scaled(endpoint: str) -> list[str]:
    """Variants of the endpoint that scale."""
    found = roles.administrator("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    targets = [target["ResourceId"].split("/") for target in found["ScalableTargets"]]
    return [variant for _, name, _, variant in targets if name == endpoint]


def create_model(original: Any, self: Any, **asked: Any) -> Any:
    if asked["model_name"] in self._models:
        raise ValidationError(message=f"Cannot create already existing model {asked['model_name']}")
    return original(self, **asked)


def create_endpoint_config(original: Any, self: Any, **asked: Any) -> Any:
    if asked["endpoint_config_name"] in self.endpoint_configs:
        raise ValidationError(message="Cannot create already existing endpoint configuration")
    return original(self, **asked)


class ResourceLimitExceeded(ServiceException):
    code = "ResourceLimitExceeded"


# Inference


class ModelError(ServiceException):
    code = "ModelError"


def setup_class(self: Any, request: Any, full_url: str, headers: Any, use_raw_body: bool = False) -> None:
    """moto takes the body for text; it is an image."""
    BaseResponse.setup_class(self, request, full_url, headers, use_raw_body=True)


def invoke_endpoint(self: Any) -> Any:
    """In the place of the static answers of moto's sagemaker-runtime."""
    backend = sagemaker_backends[self.current_account][self.region]
    endpoint = backend.endpoints.get(self.path.split("/")[2])
    if endpoint is None:
        return _error(400, "ValidationError", {"Message": "Endpoint of this name not found."})
    config = backend.describe_endpoint_config(endpoint.endpoint_config_name)
    weights = [variant["CurrentWeight"] for variant in endpoint.production_variants]
    [drawn] = random.choices(endpoint.production_variants, weights)
    variant = drawn["VariantName"]
    models = {production["VariantName"]: production["ModelName"] for production in config["ProductionVariants"]}
    model = _container(backend, models[variant])
    content_type = self.headers.get("Content-Type", "application/octet-stream")
    try:
        answer, answered_type = model.answer(self.body, content_type, self.headers.get("Accept", "application/json"))
    except BadImage as error:
        refused = {"Message": f"Received client error (400): {error}", "OriginalStatusCode": 400}
        return _error(424, "ModelError", {**refused, "OriginalMessage": str(error)})
    measure(backend, endpoint.endpoint_name, variant)
    capturing = config["DataCaptureConfig"]
    s3 = roles.client("s3", _role(backend, models[variant]))
    _capture(s3, f"{endpoint.endpoint_name}/{variant}", capturing, self.body, content_type, answer, self.headers)
    headers = {"Content-Type": answered_type, "x-Amzn-Invoked-Production-Variant": variant}
    return 200, headers, answer


def measure(backend: Any, endpoint: str, variant: str, time: datetime | None = None) -> None:
    """Tell CloudWatch of an invocation; time: now unless given."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    metrics = cloudwatch_backends[backend.account_id][backend.region_name]
    value = {"MetricName": "Invocations", "Value": 1.0, "Unit": "None"}
    told = (time or datetime.now(UTC)).replace(tzinfo=None)  # as moto keeps its times
    metrics.put_metric_data("AWS/SageMaker", [{**value, "Dimensions": dimensions, "Timestamp": told}])


def _error(status: int, code: str, body: dict[str, Any]) -> Any:
    return status, {"status": status, "x-amzn-ErrorType": code, "Content-Type": "application/json"}, json.dumps(body)


def _capture(s3: Any, place: str, config: Any, body: bytes, content_type: str, answer: str, headers: Any) -> None:
    """place : names of endpoint and variant."""
    if not config.get("EnableCapture"):
        return
    now = datetime.now(UTC)
    record = capture.record(
        event_id=str(uuid.uuid4()),
        time=now,
        body=body,
        content_type=content_type,
        response=answer,
        inference_id=headers.get("X-Amzn-Sagemaker-Inference-Id"),
        custom_attributes=headers.get("X-Amzn-Sagemaker-Custom-Attributes"),
    )
    bucket, prefix = split(config["DestinationS3Uri"])
    folder = f"{prefix}/{place}/{now:%Y/%m/%d/%H}"
    key = f"{folder}/{now:%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(record).encode() + b"\n")


def _role(backend: Any, model_name: str) -> str:
    return str(backend.describe_model(model_name).execution_role_arn)


def _container(backend: Any, model_name: str) -> Answering:
    container = backend.describe_model(model_name).primary_container
    key = json.dumps(container, sort_keys=True)
    if key not in _answering:
        _answering[key] = Answering(container, _role(backend, model_name))
    return _answering[key]
