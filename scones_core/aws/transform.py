"""Batch inference: a Batch Transform job over a list of images of the bucket.

A job is named by its input, so that a repeated request, or a retry after a crash, finds the job or its result instead
of paying for a second one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from botocore.exceptions import WaiterError

from scones_core.aws.models import Models
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.session import Aws, resource_name
from scones_core.bounded_map import bounded_map
from scones_core.errors import Conflict, Damaged, Unavailable
from scones_core.ports import EndpointConfig

SUFFIX = ".out"  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformOutput.html
LONGEST = 24 * 3600  # seconds that a job is waited for
ENDED_WELL = ("Completed", "InProgress")


class BatchTransform:
    """poll : seconds between looks at a running job; it runs for minutes."""

    def __init__(self, aws: Aws, objects: S3ObjectStore, models: Models, instance: str, *, poll: float = 15.0) -> None:
        self._aws = aws
        self._objects = objects
        self._models = models
        self._instance = instance
        self._poll = poll

    def run(self, config: EndpointConfig, keys: Sequence[str]) -> Sequence[Sequence[float]]:
        """Probabilities of each image, in the order of `keys`. Raises NotFound, Damaged, Unavailable."""
        if not keys:
            self._models.verify(config)
            return []
        model = self._models.create(config)
        manifest = json.dumps([{"prefix": self._objects.uri("")}, *dict.fromkeys(keys)]).encode()
        name = self._started(model, manifest)
        self._wait(name)
        return self._answers(name, keys)

    def _started(self, model: str, manifest: bytes) -> str:
        """The name of the job that computes this; jobs that failed do not count."""
        digest = hashlib.sha256(model.encode() + manifest).hexdigest()
        name = resource_name(self._aws.stack, "evaluation", digest)
        failed = [job for job, status in self._jobs(name).items() if status not in ENDED_WELL]
        name = f"{name}-{len(failed)}" if failed else name
        key = f"transform/{name}/manifest.json"
        self._objects.put(key, manifest)
        self._create(name, model, key)
        return name

    def _jobs(self, name: str) -> Mapping[str, str]:
        pages = self._aws.sagemaker.get_paginator("list_transform_jobs").paginate(
            NameContains=name, PaginationConfig={"PageSize": 100}
        )
        return {job["TransformJobName"]: job["TransformJobStatus"] for p in pages for job in p["TransformJobSummaries"]}

    def _create(self, name: str, model: str, manifest_key: str) -> None:
        source: Any = {"S3DataType": "ManifestFile", "S3Uri": self._objects.uri(manifest_key)}
        with suppress(Conflict):  # it has been asked for before: it runs, or has ended
            self._aws.sagemaker.create_transform_job(
                TransformJobName=name,
                ModelName=model,
                TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "application/x-image"},
                TransformOutput={"S3OutputPath": self._objects.uri(_output(name)), "Accept": "application/jsonlines"},
                TransformResources={"InstanceType": self._instance, "InstanceCount": 1},  # type: ignore[typeddict-item]
                MaxConcurrentTransforms=4,
                Tags=[{"Key": "scones:stack", "Value": self._aws.stack}],
            )

    def _wait(self, name: str) -> None:
        waiter = self._aws.sagemaker.get_waiter("transform_job_completed_or_stopped")
        patience: Any = {"Delay": self._poll, "MaxAttempts": max(1, round(LONGEST / self._poll))}
        with suppress(WaiterError):  # it failed, and says below why
            waiter.wait(TransformJobName=name, WaiterConfig=patience)
        job = self._aws.sagemaker.describe_transform_job(TransformJobName=name)
        if job["TransformJobStatus"] != "Completed":
            reason = job.get("FailureReason", f"it is {job['TransformJobStatus']}")
            raise Unavailable(f"The model could not be evaluated: the transform job {name} failed ({reason}).")

    def _answers(self, name: str, keys: Sequence[str]) -> Sequence[Sequence[float]]:
        outputs = [info.key for info in self._objects.list(_output(name))]
        found = matched(dict.fromkeys(keys), {key: key.removeprefix(_output(name)) for key in outputs})
        read = bounded_map(lambda key: parsed(self._objects.get(key)), found.values(), self._objects.at_once)
        answers = dict(zip(found, read, strict=True))
        return [answers[key] for key in keys]


def _output(name: str) -> str:
    return f"transform/{name}/output/"


def matched(keys: Iterable[str], outputs: Mapping[str, str]) -> dict[str, str]:
    """Image key → key of its answer.

    outputs : key of an answer → its path below the output location. That path ends in `.out` and repeats the image's
    key, or its end: how much of it, the documentation leaves open. Raises Damaged when an image has no answer.
    """
    by_path = {path.strip("/").removesuffix(SUFFIX): key for key, path in outputs.items()}
    found, taken = dict[str, str](), set[str]()
    for key in keys:
        parts = key.split("/")
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        end = next((end for end in ends if end in by_path), None)
        if end is None or end in taken:
            raise Damaged(f"The transform job has no output for “{key}”: evaluate the model again.")
        found[key] = by_path[end]
        taken.add(end)
    return found


def parsed(answer: bytes) -> list[float]:
    """Probabilities from `[p0, p1]` or `{"prediction": [p0, p1]}`, as JSON or its first line. Raises Damaged."""
    try:
        value = json.loads(answer)
        return [float(p) for p in (value["prediction"] if isinstance(value, dict) else value)]
    except (ValueError, KeyError, TypeError):
        text = answer[:80].decode("utf-8", "replace")
        raise Damaged(f"The model's answer is not a list of probabilities: “{text}”.") from None
