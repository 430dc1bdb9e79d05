"""What runs inside SageMaker's containers: training scripts and model servers."""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from scones_core.errors import BadImage
from scones_core.vision.classifier import Classifier, pack
from tests.contract.stand_in import roles
from tests.contract.stand_in.deployment import ROOT
from tests.contract.stand_in.functions import loaded

GROUP = "/aws/sagemaker/TrainingJobs"


def split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def fetched(uri: str, role: str) -> bytes:
    bucket, key = split(uri)
    return roles.client("s3", role).get_object(Bucket=bucket, Key=key)["Body"].read()


def unpacked(uri: str, role: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="container-"))
    with tarfile.open(fileobj=io.BytesIO(fetched(uri, role))) as archive:
        archive.extractall(folder, filter="data")  # made by the product itself, a moment ago
    return folder


class Training(threading.Thread):
    """Runs one job as its container would, and tells moto's job what comes of it."""

    def __init__(self, job: Any) -> None:
        super().__init__(daemon=True)
        self.job = job
        self.folder = Path(tempfile.mkdtemp(prefix="training-"))
        self.process: subprocess.Popen[str] | None = None
        self.stopping = False

    def run(self) -> None:
        self._became("InProgress", "Training", training_start_time=_now())
        code = self._train()
        if self.stopping:
            self._became("Stopped", "Stopped", training_end_time=_now())
        elif code == 0:
            self._upload()
            self._became("Completed", "Completed", training_end_time=_now())
        else:
            reason = f"AlgorithmError: the script ended with exit status {code}"
            self._became("Failed", "Failed", training_end_time=_now(), failure_reason=reason)

    def stop(self) -> None:
        self.stopping = True
        self._became("Stopping", "Stopping")
        if self.process:
            self.process.terminate()

    def _became(self, status: str, secondary: str, **more: Any) -> None:
        for name, value in more.items():
            setattr(self.job, name, value)
        self.job.last_modified_time = _now()
        if not (self.stopping and status == "InProgress"):
            self.job.secondary_status, self.job.training_job_status = secondary, status

    def _train(self) -> int:
        given = self.job.hyper_parameters
        if "sagemaker_program" in given:
            decoded = {name: json.loads(value) for name, value in given.items()}
            code = unpacked(decoded.pop("sagemaker_submit_directory"), self.job.role_arn)
            command = [decoded.pop("sagemaker_program"), *(f"--{name}={value}" for name, value in decoded.items())]
        else:  # the built-in algorithm knows the number of classes, and not their names
            decoded = {name: given[name] for name in ("num_classes", "num_training_samples", "image_shape")}
            decoded["classes"] = json.dumps([str(n) for n in range(int(given["num_classes"]))])
            code, command = ROOT, ["-m", "scones_core.vision.train"]
        self.process = subprocess.Popen(
            [sys.executable, "-u", *command],
            cwd=code,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self._environment(decoded)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        with self.process.stdout:
            self._log(self.process.stdout)
        return self.process.wait()

    def _environment(self, hyperparameters: dict[str, str]) -> dict[str, str]:
        environment = {"SM_HPS": json.dumps(hyperparameters), "SM_OUTPUT_DIR": str(self.folder / "output")}
        environment["SM_MODEL_DIR"] = str(self.folder / "model")
        for name in ("model", "output"):
            (self.folder / name).mkdir()
        for channel in self.job.input_data_config:
            folder = self.folder / "input" / "data" / channel["ChannelName"]
            _download(channel["DataSource"]["S3DataSource"]["S3Uri"], folder, self.job.role_arn)
            environment[f"SM_CHANNEL_{channel['ChannelName'].upper()}"] = str(folder)
        return environment

    def _log(self, lines: Any) -> None:
        logs, stream = roles.client("logs", self.job.role_arn), f"{self.job.training_job_name}/algo-1-1"
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=GROUP)
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        for line in lines:
            event = {"timestamp": int(time.time() * 1000), "message": line.rstrip() or " "}
            logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])

    def _upload(self) -> None:
        bucket, key = split(self.job.model_artifacts["S3ModelArtifacts"])
        s3 = roles.client("s3", self.job.role_arn)
        s3.put_object(Bucket=bucket, Key=key, Body=pack(self.folder / "model"))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)  # as moto keeps its times


def _download(uri: str, folder: Path, role: str) -> None:
    """Objects under a prefix, by the rest of their key after its last slash."""
    bucket, prefix = split(uri)
    base = prefix.rpartition("/")[0]
    s3 = roles.client("s3", role)
    folder.mkdir(parents=True)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            path = folder / item["Key"].removeprefix(base).lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())


class Answering:
    """A model's container. In script mode it runs the serving script out of the archive that the model names."""

    def __init__(self, container: dict[str, Any], role: str) -> None:
        environment = container.get("Environment") or {}
        model = unpacked(container["ModelDataUrl"], role)
        self.script = None
        if program := environment.get("SAGEMAKER_PROGRAM"):
            code = unpacked(environment["SAGEMAKER_SUBMIT_DIRECTORY"], role)
            self.script = loaded(code / program, f"container_{code.name}")
            self.model = self.script.model_fn(str(model))
        else:
            self.model = Classifier.load(pack(model))

    def answer(self, image: bytes, content_type: str, accept: str) -> tuple[str, str]:
        """The answer and its content type. Raises BadImage for what the container answers with 400."""
        if self.script is None:
            [row] = self.model.predict_proba([image])
            values = [float(p) for p in row]
            lines = accept == "application/jsonlines"
            return json.dumps({"prediction": values} if lines else values), accept
        answered = self.script.transform_fn(self.model, image, content_type, accept)
        if isinstance(answered, Refusal):
            raise BadImage(answered.response)
        return answered


class Refusal(SimpleNamespace):
    """What `worker.Response` is in the container."""


def install_worker() -> None:
    """The module that the serving script finds in the container."""
    module: Any = ModuleType("sagemaker_containers.beta.framework")
    module.worker = SimpleNamespace(Response=Refusal)
    for name in ("sagemaker_containers", "sagemaker_containers.beta"):
        sys.modules.setdefault(name, ModuleType(name))
    sys.modules["sagemaker_containers.beta.framework"] = module
