"""What the AWS backend does beyond its ports, on the stand-in."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from scones_core.aws.algorithms import Algorithm, Hardware
from scones_core.aws.endpoint import SageMakerEndpoints
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.session import Aws
from scones_core.aws.training import SageMakerTraining
from scones_core.aws.waiting import until_in_service
from scones_core.bootstrap import build_backend
from scones_core.domain.models import CHAMPION_VARIANT, TRIAL_VARIANT
from scones_core.errors import BadInput, Conflict, Unavailable
from scones_core.ports import Backend, EndpointConfig, JobStatus, Trial
from tests.contract.conftest import REAL, aws_settings, ended, load_images, training_request, until
from tests.contract.stand_in import roles, sagemaker
from tests.contract.stand_in.server import REGION, STACK

pytestmark = pytest.mark.skipif(REAL, reason="looks into the stand-in")
ENDPOINT = "scones-unlimited"


@pytest.fixture(scope="session")
def opened(aws_stand_in: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Backend:
    """The backend with SageMaker's own algorithm, as it is set unless one sets another."""
    home = tmp_path_factory.mktemp("built-in")
    return build_backend(aws_settings(home, algorithm="image-classification"), home)


@pytest.fixture(scope="session")
def built_in(opened: Backend) -> EndpointConfig:
    """A model that the built-in algorithm trained."""
    load_images(opened)
    job = ended(opened, opened.training.start(training_request()).name)
    assert job.status is JobStatus.COMPLETED, (job.failure_reason, opened.training.logs(job.name))
    assert job.artifact_key
    sha256 = hashlib.sha256(opened.objects.get(job.artifact_key)).hexdigest()
    return EndpointConfig("v7", job.artifact_key, sha256)


# Object store


def test_a_listing_goes_on_beyond_the_first_thousand(objects: S3ObjectStore, prefix: str):
    for number in range(1005):
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(objects.bucket, f"{prefix}{number:04}", b"")
    assert [info.key[-4:] for info in objects.list(prefix)] == [f"{number:04}" for number in range(1005)]


def test_of_two_writers_of_a_new_object_one_wins(objects: S3ObjectStore, prefix: str):
    assert objects.put_new(f"{prefix}k", b"first") is True
    assert objects.put_new(f"{prefix}k", b"second") is False
    assert objects.get(f"{prefix}k") == b"first"


def test_an_image_is_stored_as_what_it_is(aws: Aws, objects: S3ObjectStore, prefix: str):
    objects.put(f"{prefix}a.png", b"x")
    assert aws.s3.head_object(Bucket=objects.bucket, Key=f"{prefix}a.png")["ContentType"] == "image/png"


# Training


def described(aws: Aws, artifact_key: str) -> dict[str, Any]:
    return dict(aws.sagemaker.describe_training_job(TrainingJobName=artifact_key.split("/")[1]))


def test_the_built_in_algorithm_gets_four_channels_of_images(aws: Aws, built_in: EndpointConfig):
    job = described(aws, built_in.artifact_key)
    channels = {channel["ChannelName"]: channel["ContentType"] for channel in job["InputDataConfig"]}
    assert channels == dict.fromkeys(["train", "validation", "train_lst", "validation_lst"], "application/x-image")
    assert job["AlgorithmSpecification"]["TrainingImage"].endswith("/image-classification:1")
    assert job["ResourceConfig"]["InstanceType"] == "ml.g4dn.xlarge"
    assert int(job["HyperParameters"]["resize"]) > 32
    assert not job["EnableManagedSpotTraining"]


def test_a_model_of_the_built_in_algorithm_is_deployed_and_measured(opened: Backend, built_in: EndpointConfig):
    opened.endpoints.deploy("scones-built-in", built_in)
    keys = [info.key for info in opened.objects.list("test/")][:2]
    online = [opened.endpoints.invoke("scones-built-in", opened.objects.get(key), "image/png") for key in keys]
    rows = opened.endpoints.transform(built_in, keys)
    assert [list(row) for row in rows] == [pytest.approx(answer, abs=1e-4) for answer in online]
    assert opened.endpoints.describe("scones-built-in").config == built_in
    opened.endpoints.delete("scones-built-in")


def test_spare_capacity_is_a_choice(aws: Aws, objects: S3ObjectStore, built_in: EndpointConfig):
    service = SageMakerTraining(aws, objects, Hardware(Algorithm.EMBEDDED, spot=True), poll=0)
    job = service.start(training_request())
    sent = dict(aws.sagemaker.describe_training_job(TrainingJobName=f"{STACK}-{job.name}"))
    assert sent["EnableManagedSpotTraining"]
    assert sent["StoppingCondition"]["MaxWaitTimeInSeconds"] >= sent["StoppingCondition"]["MaxRuntimeInSeconds"]
    assert sent["CheckpointConfig"]["S3Uri"].startswith(f"s3://{objects.bucket}/checkpoints/")
    service.stop(job.name)


def test_jobs_of_other_projects_are_not_listed(aws: Aws, objects: S3ObjectStore, built_in: EndpointConfig):
    sent = described(aws, built_in.artifact_key)
    kept = ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig")
    asked = {name: sent[name] for name in kept} | {"StoppingCondition": sent["StoppingCondition"]}
    hyperparameters = {"num_classes": "2", "num_training_samples": "16", "image_shape": "3,32,32", "resize": "33"}
    name = f"other-{STACK}-job"
    others = roles.administrator("sagemaker")  # the app may create none
    others.create_training_job(TrainingJobName=name, HyperParameters=hyperparameters, **asked)
    others.stop_training_job(TrainingJobName=name)
    listed = [job.name for job in SageMakerTraining(aws, objects, Hardware()).list()]
    assert listed
    assert not [job for job in listed if "other" in job]


def test_a_name_is_free_again_when_aws_refuses_the_job(objects: S3ObjectStore, aws: Aws, built_in: EndpointConfig):
    service = SageMakerTraining(aws, objects, Hardware(), poll=0)
    request = training_request()
    refused = replace(request, hyperparameters={**request.hyperparameters, "epochs": 3})
    with pytest.raises(BadInput, match="AWS would refuse"):
        service.start(refused)
    assert service.start(request).name == request.name
    service.stop(request.name)


# Endpoint


@pytest.fixture
def deployed(opened: Backend, built_in: EndpointConfig) -> Iterator[str]:
    name = "scones-specific"
    opened.endpoints.deploy(name, built_in)
    sagemaker.updates.clear()
    yield name
    sagemaker.updates.clear()
    opened.endpoints.delete(name)


def test_an_update_is_watched_by_the_stacks_alarms(opened: Backend, deployed: str, built_in: EndpointConfig):
    opened.endpoints.deploy(deployed, replace(built_in, model="v8"))
    [update] = sagemaker.updates
    alarms = [alarm["AlarmName"] for alarm in update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]]
    assert alarms == [f"{STACK}-endpoint-errors", f"{STACK}-endpoint-latency"]
    assert update["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] > 0


def test_a_model_that_an_alarm_takes_back_is_not_said_to_serve(
    opened: Backend, deployed: str, built_in: EndpointConfig
):
    sagemaker.updates.append(sagemaker.ALARMS_GO_OFF)
    with pytest.raises(Unavailable, match="was rolled back; the previous model is still serving"):
        opened.endpoints.deploy(deployed, replace(built_in, model="v9"))
    assert opened.endpoints.describe(deployed).config == built_in


def test_an_endpoint_that_is_being_changed_is_left_alone(
    aws: Aws, opened: Backend, deployed: str, built_in: EndpointConfig
):
    before = aws.sagemaker.describe_endpoint(EndpointName=deployed)["EndpointConfigName"]
    backend = sagemaker.sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION]
    backend.endpoints[deployed].endpoint_status = "Updating"
    with pytest.raises(Conflict, match="is Updating: wait"):
        opened.endpoints.deploy(deployed, replace(built_in, model="v10"))
    assert aws.sagemaker.describe_endpoint(EndpointName=deployed)["EndpointConfigName"] == before


def test_an_endpoint_that_failed_is_made_anew(opened: Backend, deployed: str, built_in: EndpointConfig):
    backend = sagemaker.sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION]
    backend.endpoints[deployed].endpoint_status = "Failed"
    until(lambda: opened.endpoints.describe(deployed).status == "Failed")  # what it was a moment ago is remembered
    assert opened.endpoints.deploy(deployed, built_in).status == "InService"


@pytest.mark.parametrize("status", ["Failed", "OutOfService", "UpdateRollbackFailed"])
def test_an_endpoint_that_will_not_come_into_service_is_not_waited_for(aws: Aws, deployed: str, status: str):
    sagemaker.sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION].endpoints[deployed].endpoint_status = status
    with pytest.raises(Unavailable, match=f"did not come into service: it is {status}"):
        until_in_service(aws, deployed, poll=0.01)


def test_an_update_that_could_not_be_taken_back_is_told_and_can_be_repeated(
    opened: Backend, deployed: str, built_in: EndpointConfig
):
    backend = sagemaker.sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION]
    backend.endpoints[deployed].endpoint_status = "UpdateRollbackFailed"
    until(lambda: opened.endpoints.describe(deployed).status == "Failed")
    assert opened.endpoints.deploy(deployed, replace(built_in, model="v8")).status == "InService"


def test_a_busy_endpoint_gets_more_instances_up_to_the_most(aws: Aws, objects: S3ObjectStore, built_in: EndpointConfig):
    service = SageMakerEndpoints(aws, objects, Hardware(most_instances=3), poll=0.01)
    service.deploy("scones-scaling", built_in)
    [target] = [
        target
        for target in aws.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        if "endpoint/scones-scaling/" in target["ResourceId"]
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    service.delete("scones-scaling")
    assert aws.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []


def test_both_variants_of_a_trial_scale_and_only_the_champion_after_it(
    aws: Aws, objects: S3ObjectStore, built_in: EndpointConfig
):
    def scaled() -> list[str]:
        found = aws.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        return sorted(target["ResourceId"].rpartition("/")[2] for target in found)

    service = SageMakerEndpoints(aws, objects, Hardware(most_instances=3), poll=0.01)
    service.deploy("scones-tried", built_in)
    service.set_trial("scones-tried", Trial(replace(built_in, model="v8", variant=TRIAL_VARIANT), 0.1))
    assert scaled() == [CHAMPION_VARIANT, TRIAL_VARIANT]
    service.set_trial("scones-tried", None)
    assert scaled() == [CHAMPION_VARIANT]
    service.delete("scones-tried")
    assert scaled() == []


@pytest.fixture
def trial(opened: Backend, deployed: str, built_in: EndpointConfig) -> Trial:
    """Under way on the deployed endpoint."""
    started = Trial(replace(built_in, model="v8", variant=TRIAL_VARIANT), 0.1)
    opened.endpoints.set_trial(deployed, started)
    sagemaker.updates.clear()
    return started


def test_a_changed_share_changes_weights_and_no_instances(aws: Aws, opened: Backend, deployed: str, trial: Trial):
    before = aws.sagemaker.describe_endpoint(EndpointName=deployed)
    opened.endpoints.set_trial(deployed, replace(trial, share=0.3))
    after = aws.sagemaker.describe_endpoint(EndpointName=deployed)
    assert sagemaker.updates == []
    assert before["EndpointConfigName"] == after["EndpointConfigName"]
    weights = {variant["VariantName"]: variant["CurrentWeight"] for variant in after["ProductionVariants"]}
    assert weights == {CHAMPION_VARIANT: 0.7, TRIAL_VARIANT: 0.3}
    assert {variant["CurrentInstanceCount"] for variant in after["ProductionVariants"]} == {1}


def test_a_promotion_during_a_trial_is_watched_by_the_alarms(
    opened: Backend, deployed: str, built_in: EndpointConfig, trial: Trial
):
    opened.endpoints.deploy(deployed, replace(built_in, model="v8"))
    ended, promoted = sagemaker.updates
    assert ended["DeploymentConfig"] is None
    assert promoted["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]


def test_a_trial_is_not_changed_while_the_endpoint_is(opened: Backend, deployed: str, trial: Trial):
    backend = sagemaker.sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION]
    for wanted in (replace(trial, share=0.3), None):
        backend.endpoints[deployed].endpoint_status = "Updating"
        with pytest.raises(Conflict, match="is Updating: wait"):
            opened.endpoints.set_trial(deployed, wanted)


def test_an_inference_is_seen_in_cloudwatch(opened: Backend, deployed: str):
    assert opened.costs
    key = next(info.key for info in opened.objects.list("test/"))
    opened.endpoints.invoke(deployed, opened.objects.get(key), "image/png")
    last = opened.costs.last_asked(deployed)
    assert last
    assert datetime.now(UTC) - last < timedelta(minutes=1)


def test_measuring_again_uses_the_job_that_has_run(aws: Aws, opened: Backend, built_in: EndpointConfig):
    keys = [info.key for info in opened.objects.list("test/")][2:5]
    before = len(aws.sagemaker.list_transform_jobs()["TransformJobSummaries"])
    assert opened.endpoints.transform(built_in, keys) == opened.endpoints.transform(built_in, keys)
    assert len(aws.sagemaker.list_transform_jobs()["TransformJobSummaries"]) == before + 1


def test_an_unreadable_image_fails_the_measurement_and_the_next_try_is_a_new_job(
    opened: Backend, built_in: EndpointConfig, prefix: str
):
    opened.objects.put(f"{prefix}text.png", b"this is text")
    with pytest.raises(Unavailable, match=r"transform job .* failed \(ClientError: "):
        opened.endpoints.transform(built_in, [f"{prefix}text.png"])
    [key] = [info.key for info in opened.objects.list("test/")][:1]
    opened.objects.put(f"{prefix}text.png", opened.objects.get(key))
    assert len(opened.endpoints.transform(built_in, [f"{prefix}text.png"])) == 1
