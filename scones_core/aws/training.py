"""Training jobs on SageMaker.

A job is named `<stack>-<name>` there, so that the stack's role may touch its own jobs only. What was asked for lies in
the bucket as `training/<job>/request.json`: the built-in algorithm refuses hyperparameters that it does not know, and
the product needs them back.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from scones_core.aws.algorithms import Algorithm, Hardware, hyperparameters, image_uri
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.session import Aws, utc
from scones_core.aws.training_log import TrainingLogs, metrics
from scones_core.aws.ttl_cache import TtlCache
from scones_core.bounded_map import bounded_map
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.ports import JobStatus, TrainingJob, TrainingRequest

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import ChannelTypeDef

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # API reference, CreateTrainingJob
LONGEST_RUN = 4 * 3600  # seconds
LONGEST_WAIT = 8 * 3600  # seconds, for spare capacity and the run together
Described = Mapping[str, Any]  # the answer of DescribeTrainingJob; what has not happened yet is not in it
LISTED = 100  # jobs
AT_ONCE = 8  # requests for jobs
POLL = 2.0  # seconds for which a description counts; SageMaker limits how often it is asked


class SageMakerTraining:
    """Jobs of the stack, on the machines that the settings choose."""

    def __init__(self, aws: Aws, objects: S3ObjectStore, machines: Hardware, *, poll: float = POLL) -> None:
        self._aws = aws
        self._objects = objects
        self._machines = machines
        self._logs = TrainingLogs(aws, poll)
        self._jobs: TtlCache[Described] = TtlCache(poll, lambda job: _status(job).ended)
        self._asked: TtlCache[dict[str, Any]] = TtlCache(0, bool)

    def start(self, request: TrainingRequest) -> TrainingJob:
        job = self._job_name(request.name)
        for channel, key in request.channels.items():
            if not next(self._objects.list(key), None):
                raise NotFound(f"The channel {channel} is empty (“{key}”): load images first.")
        note = json.dumps({**asdict(request), "algorithm": self._machines.algorithm}).encode()
        if not self._objects.put_new(_request_key(job), note):
            raise Conflict(f"A training job “{request.name}” exists already: choose another name.")
        try:
            self._aws.sagemaker.create_training_job(**self._arguments(job, request))
        except Conflict:
            raise Conflict(f"A training job “{request.name}” exists already: choose another name.") from None
        except BaseException:
            self._objects.delete(_request_key(job))
            raise
        return self.describe(request.name)

    def describe(self, name: str) -> TrainingJob:
        described = self._described(name)
        return replace(self._job(name, described), metrics=self._metrics(name, described))

    def list(self) -> Sequence[TrainingJob]:
        """The newest LISTED jobs: each is described, and its request read, once more until it has ended."""
        prefix = f"{self._aws.stack}-"
        pages = self._aws.sagemaker.get_paginator("list_training_jobs").paginate(
            NameContains=prefix, SortBy="CreationTime", SortOrder="Descending", PaginationConfig={"PageSize": 100}
        )
        found = (job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"])
        names = islice((job.removeprefix(prefix) for job in found if job.startswith(prefix)), LISTED)
        jobs = bounded_map(lambda name: self._job(name, self._described(name)), names, AT_ONCE)
        return sorted(jobs, key=lambda job: job.created, reverse=True)

    def stop(self, name: str) -> None:
        self._jobs.forget(name)
        if not _status(self._described(name)).ended:
            self._aws.sagemaker.stop_training_job(TrainingJobName=self._job_name(name))
            self._jobs.forget(name)

    def logs(self, name: str) -> Sequence[str]:
        return self._logs.lines(self._job_name(name))

    def _job_name(self, name: str) -> str:
        job = f"{self._aws.stack}-{name}"
        if not NAME.fullmatch(job):
            longest = 62 - len(self._aws.stack)
            raise BadInput(f"“{name}” is not a valid job name: use up to {longest} letters, digits and hyphens.")
        return job

    def _described(self, name: str) -> Described:
        try:
            job = self._job_name(name)
            return self._jobs.get(name, lambda: self._aws.sagemaker.describe_training_job(TrainingJobName=job))
        except (BadInput, NotFound):
            raise NotFound(f"No training job “{name}”.") from None

    def _job(self, name: str, described: Described) -> TrainingJob:
        """The job without its metrics."""
        asked = self._asked.get(name, lambda: self._request(self._job_name(name)))
        status = _status(described)
        return TrainingJob(
            name=name,
            status=status,
            created=utc(described["CreationTime"]),
            hyperparameters=asked.get("hyperparameters") or described.get("HyperParameters", {}),
            started=utc(described["TrainingStartTime"]) if "TrainingStartTime" in described else None,
            ended=utc(described.get("TrainingEndTime", described["LastModifiedTime"])) if status.ended else None,
            artifact_key=self._artifact_key(described) if status is JobStatus.COMPLETED else None,
            failure_reason=described.get("FailureReason"),
        )

    def _request(self, job: str) -> dict[str, Any]:
        try:
            asked: dict[str, Any] = json.loads(self._objects.get(_request_key(job)))
        except NotFound:
            return {}
        return asked

    def _artifact_key(self, described: Described) -> str:
        return self._objects.key_of(described["ModelArtifacts"]["S3ModelArtifacts"])

    def _metrics(self, name: str, described: Described) -> Sequence[tuple[float, str, float]]:
        """From the log so far; SageMaker's final values if there is no log (any more)."""
        if "TrainingStartTime" not in described:
            return ()
        started = described["TrainingStartTime"]
        if logged := metrics(self.logs(name), started):
            return logged
        final = described.get("FinalMetricDataList", [])
        return [((m["Timestamp"] - started).total_seconds(), m["MetricName"], m["Value"]) for m in final]

    def _arguments(self, job: str, request: TrainingRequest) -> dict[str, Any]:
        machines, role = self._machines, self._aws.output("SageMakerRoleArn")
        instance = machines.training_instance
        wait = {"MaxWaitTimeInSeconds": LONGEST_WAIT} if machines.spot else {}
        checkpoints = {"CheckpointConfig": {"S3Uri": self._objects.uri(f"checkpoints/{job}/")}} if machines.spot else {}
        return {
            "TrainingJobName": job,
            "RoleArn": role,
            "AlgorithmSpecification": {
                "TrainingImage": image_uri(machines.algorithm, self._aws.region, instance, scope="training"),
                "TrainingInputMode": "File",
                **_metric_definitions(machines.algorithm),
            },
            "HyperParameters": hyperparameters(machines.algorithm, request.hyperparameters, self._objects),
            "InputDataConfig": [self._channel(name, key) for name, key in self._used(request.channels).items()],
            "OutputDataConfig": {"S3OutputPath": self._objects.uri("models")},
            "ResourceConfig": {"InstanceType": instance, "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST_RUN, **wait},
            "EnableManagedSpotTraining": machines.spot,
            "Tags": [{"Key": "scones:stack", "Value": self._aws.stack}],
            **checkpoints,
        }

    def _used(self, channels: Mapping[str, str]) -> Mapping[str, str]:
        """The built-in algorithm refuses channels it does not know."""
        if self._machines.algorithm is not Algorithm.BUILT_IN:
            return channels
        return {name: key for name, key in channels.items() if name != "embeddings"}

    def _channel(self, name: str, key: str) -> "ChannelTypeDef":
        return {
            "ChannelName": name,
            "ContentType": "application/x-image",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": self._objects.uri(key),
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }


def algorithm_of(objects: S3ObjectStore, artifact_key: str) -> Algorithm:
    """What trained an artifact; one that no training job of the stack made is the embedded classifier's."""
    job = artifact_key.removeprefix("models/").partition("/")[0]
    try:
        return Algorithm(json.loads(objects.get(_request_key(job)))["algorithm"])
    except NotFound:
        return Algorithm.EMBEDDED


def _request_key(job: str) -> str:
    return f"training/{job}/request.json"


def _status(described: Described) -> JobStatus:
    if described.get("SecondaryStatus") == "Pending":
        return JobStatus.PENDING
    return JobStatus(described["TrainingJobStatus"])


def _metric_definitions(algorithm: Algorithm) -> dict[str, Any]:
    """So that SageMaker reads the script's metrics too; those of the built-in algorithm it knows."""
    if algorithm is Algorithm.BUILT_IN:
        return {}
    names = [
        f"{split}:{name}" for split in ("train", "validation") for name in ("accuracy", "log_loss", "ece", "brier")
    ]
    number = r"([-+.\deE]+)"
    return {"MetricDefinitions": [{"Name": n, "Regex": rf"#quality_metric: {n}\s*=\s*{number}"} for n in names]}
