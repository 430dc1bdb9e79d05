"""Descriptions of endpoints on the embedded backend."""

import json
from dataclasses import replace

import pytest

from scones_core.local import endpoint
from scones_core.services import App, deployment
from scones_core.vision.classifier import Classifier

load = Classifier.load


def test_a_description_from_before_trials_is_still_read(serving: App):
    file = serving.settings.home / "endpoints" / f"{serving.settings.endpoint}.json"
    description = json.loads(file.read_bytes())
    del description["trial"]
    file.write_text(json.dumps(description))
    found = deployment.get_endpoint(serving)
    assert (found.config.model, found.trial) == ("v1", None)


def test_models_that_were_asked_long_ago_leave_the_memory(serving: App, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(endpoint, "MOST_MODELS", 2)
    config = deployment.get_endpoint(serving).config
    objects, endpoints = serving.backend.objects, serving.backend.endpoints
    for number in range(4):
        copy = f"models/copy-{number}/output/model.tar.gz"
        objects.put(copy, objects.get(config.artifact_key))
        monkeypatch.setattr(Classifier, "load", lambda data, _sha256: load(data, config.artifact_sha256))
        endpoints.transform(replace(config, artifact_key=copy, artifact_sha256=f"{number}"), [])
    assert len(endpoints._models) == 2  # type: ignore[attr-defined]
