"""Endpoints in this process: inference runs here, and captures go to the object store."""

import json
import random
import threading
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from scones_core.domain import capture
from scones_core.domain.typed import typed
from scones_core.errors import Damaged, NotFound, Unavailable
from scones_core.local.capture_files import CaptureFiles
from scones_core.local.files import Parsed, write_atomically
from scones_core.local.object_store import LocalObjectStore
from scones_core.ports import Endpoint, EndpointConfig, Trial

if TYPE_CHECKING:
    from scones_core.vision.classifier import Classifier

MOST_MODELS = 4  # in memory: champion, challenger, and what is measured or was before
ENDPOINT: TypeAdapter[Endpoint] = TypeAdapter(Endpoint)
_NOT_CAPTURED = "Data capture is failing ({}): free disk space, or make the capture folder writable."


class LocalEndpoints:
    """Descriptions are files read on each call, so that all processes on this home serve the same model."""

    def __init__(self, folder: Path, objects: LocalObjectStore, capture_prefix: str = "captures/") -> None:
        self.capture_prefix = capture_prefix
        self._folder = folder
        self._objects = objects
        self._models: dict[str, Classifier] = {}
        self._loading = threading.Lock()
        self._captures = CaptureFiles(objects.path)
        self._described = Parsed(_described)

    def deploy(self, name: str, config: EndpointConfig) -> Endpoint:
        self._model(config)  # raises before anything has changed
        try:
            before = self.describe(name)
        except Damaged:  # a deployment writes it anew
            before = None
        now = datetime.now(UTC)
        endpoint = Endpoint(name, "InService", config, before.created if before else now, now)
        return self._write(endpoint)

    def set_trial(self, name: str, trial: Trial | None) -> Endpoint:
        if trial:
            self._model(trial.config)  # raises before anything has changed
        return self._write(replace(self._get(name), trial=trial, updated=datetime.now(UTC)))

    def describe(self, name: str) -> Endpoint | None:
        try:
            return self._described.read(f"{self._folder}/{name}.json")
        except FileNotFoundError:
            return None

    def troubles(self) -> Sequence[str]:
        """Current problems: damaged endpoint descriptions, and failing data capture."""
        found = []
        for file in sorted(self._folder.glob("*.json")):
            try:
                self.describe(file.stem)
            except Damaged as error:
                found.append(str(error))
        if self._captures.failure:
            found.append(_NOT_CAPTURED.format(self._captures.failure))
        return found

    def check_captures(self) -> str:
        """Whether captures can be written. Raises Unavailable."""
        if failure := self._captures.failure or self._captures.probe(self.capture_prefix):
            raise Unavailable(_NOT_CAPTURED.format(failure))
        return "can be written"

    def invoke(
        self,
        name: str,
        body: bytes,
        content_type: str,
        *,
        inference_id: str | None = None,
        custom_attributes: str | None = None,
    ) -> list[float]:
        config = _answering(self._get(name))
        [row] = self._model(config).predict_proba([body])
        probabilities = [float(p) for p in row]
        if random.random() * 100 < config.capture_percentage:
            prefix = f"{self.capture_prefix}{name}/{config.variant}/"
            self._capture(prefix, config.model, body, content_type, probabilities, inference_id, custom_attributes)
        return probabilities

    def transform(self, config: EndpointConfig, keys: Sequence[str]) -> Sequence[Sequence[float]]:
        model = self._model(config)
        rows: list[list[float]] = []
        for start in range(0, len(keys), 256):
            images = [self._objects.get(key) for key in keys[start : start + 256]]
            rows.extend(model.predict_proba(images).tolist())
        return rows

    def delete(self, name: str) -> None:
        (self._folder / f"{name}.json").unlink(missing_ok=True)

    def close(self) -> None:
        self._captures.close()

    def _get(self, name: str) -> Endpoint:
        endpoint = self.describe(name)
        if endpoint is None:
            raise NotFound(f"No endpoint “{name}”: deploy a model first.")
        return endpoint

    def _write(self, endpoint: Endpoint) -> Endpoint:
        write_atomically(self._folder / f"{endpoint.name}.json", ENDPOINT.dump_json(endpoint, indent=1))
        return endpoint

    def _model(self, config: EndpointConfig) -> "Classifier":
        with self._loading:
            if config.artifact_sha256 not in self._models:
                from scones_core.vision.classifier import Classifier  # loads what a page view does not need

                artifact = self._objects.get(config.artifact_key)
                while len(self._models) >= MOST_MODELS:
                    del self._models[next(iter(self._models))]
                self._models[config.artifact_sha256] = Classifier.load(artifact, config.artifact_sha256)
            else:  # the newest to be asked is the last to go
                self._models[config.artifact_sha256] = self._models.pop(config.artifact_sha256)
            return self._models[config.artifact_sha256]

    def _capture(
        self,
        prefix: str,
        model: str,
        body: bytes,
        content_type: str,
        probabilities: list[float],
        inference_id: str | None,
        custom_attributes: str | None,
    ) -> None:
        record = capture.record(
            event_id=str(uuid.uuid4()),
            time=datetime.now(UTC),
            body=body,
            content_type=content_type,
            response=json.dumps(probabilities),
            inference_id=inference_id,
            custom_attributes=custom_attributes,
            model=model,
        )
        self._captures.append(prefix, json.dumps(record).encode() + b"\n")  # best effort, as SageMaker's


def _described(data: bytes, file: str) -> Endpoint:
    return typed(ENDPOINT, data, f"endpoints/{Path(file).name}", "Deploy a model to rewrite it.")


def _answering(endpoint: Endpoint) -> EndpointConfig:
    """The variant that answers this time, drawn by weight."""
    trial = endpoint.trial
    return trial.config if trial and random.random() < trial.share else endpoint.config
