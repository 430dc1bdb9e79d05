"""What an endpoint service does, on every backend."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from scones_core.domain.capture import parse
from scones_core.domain.models import CHAMPION_VARIANT, TRIAL_VARIANT
from scones_core.errors import BadImage, Damaged, NotFound
from scones_core.ports import Backend, EndpointConfig, Trial

KEY = r"[\w-]+/AllTraffic/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl"


@pytest.fixture
def second(backend: Backend, config: EndpointConfig) -> Iterator[str]:
    """An endpoint of the test's own."""
    name = "scones-second"
    backend.endpoints.deploy(name, config)
    yield name
    backend.endpoints.delete(name)


def files(backend: Backend, name: str) -> list[str]:
    return [info.key for info in backend.objects.list(f"{backend.endpoints.capture_prefix}{name}/")]


def captured(backend: Backend, name: str) -> list[bytes]:
    """The records; a file may hold several."""
    return [line for key in files(backend, name) for line in backend.objects.get(key).splitlines()]


def image(backend: Backend, key: str) -> bytes:
    return backend.objects.get(key)


def test_a_deployed_endpoint_is_in_service_with_what_was_deployed(
    backend: Backend, endpoint: str, config: EndpointConfig
):
    found = backend.endpoints.describe(endpoint)
    assert found is not None
    assert (found.name, found.status, found.config) == (endpoint, "InService", config)
    assert found.created <= found.updated


def test_an_endpoint_answers_with_a_probability_per_class(backend: Backend, endpoint: str, image_keys: list[str]):
    probabilities = backend.endpoints.invoke(endpoint, image(backend, image_keys[0]), "image/png")
    assert len(probabilities) == 2
    assert sum(probabilities) == pytest.approx(1)


def test_what_was_asked_and_answered_is_captured(backend: Backend, second: str, image_keys: list[str]):
    before = set(captured(backend, second))
    body = image(backend, image_keys[1])
    answered = backend.endpoints.invoke(
        second, body, "image/png", inference_id="inference-1", custom_attributes=f"s3_key={image_keys[1]}"
    )
    [record] = set(captured(backend, second)) - before
    for key in files(backend, second):
        assert re.fullmatch(KEY, key.removeprefix(backend.endpoints.capture_prefix))
        assert backend.objects.get(key).endswith(b"\n")
    inference = parse(record)
    assert inference.probabilities == pytest.approx(answered)
    assert (inference.inference_id, inference.image_key) == ("inference-1", image_keys[1])
    assert json.loads(record)["captureData"]["endpointInput"]["observedContentType"] == "image/png"


def test_at_zero_percent_nothing_is_captured(
    backend: Backend, second: str, config: EndpointConfig, image_keys: list[str]
):
    before = captured(backend, second)
    backend.endpoints.deploy(second, replace(config, capture_percentage=0))
    assert backend.endpoints.describe(second).config.capture_percentage == 0
    backend.endpoints.invoke(second, image(backend, image_keys[0]), "image/png")
    assert captured(backend, second) == before


def test_an_update_keeps_the_endpoint_and_changes_what_it_serves(backend: Backend, second: str, config: EndpointConfig):
    before = backend.endpoints.describe(second)
    updated = backend.endpoints.deploy(second, replace(config, model="v2"))
    assert (updated.status, updated.config.model) == ("InService", "v2")
    assert updated.created == before.created
    assert updated.updated >= before.updated


def test_deploying_the_same_again_changes_nothing(backend: Backend, second: str, config: EndpointConfig):
    assert backend.endpoints.deploy(second, config).config == config


def test_a_missing_artifact_leaves_the_endpoint_as_it_was(backend: Backend, second: str, config: EndpointConfig):
    with pytest.raises(NotFound, match="No object “models/gone"):
        backend.endpoints.deploy(second, replace(config, artifact_key="models/gone.tar.gz", artifact_sha256="0" * 64))
    assert backend.endpoints.describe(second).config == config


def test_an_artifact_with_another_checksum_is_not_deployed(backend: Backend, second: str, config: EndpointConfig):
    with pytest.raises(Damaged):
        backend.endpoints.deploy(second, replace(config, artifact_sha256="0" * 64))
    assert backend.endpoints.describe(second).config == config


def test_an_unknown_endpoint_is_not_there(backend: Backend):
    assert backend.endpoints.describe("scones-never-was") is None
    with pytest.raises(NotFound, match="scones-never-was"):
        backend.endpoints.invoke("scones-never-was", b"", "image/png")


def test_what_is_not_an_image_is_refused_and_not_captured(backend: Backend, second: str):
    before = captured(backend, second)
    with pytest.raises(BadImage):
        backend.endpoints.invoke(second, b"this is text", "image/png")
    assert captured(backend, second) == before


def test_batch_inference_answers_as_the_endpoint_in_the_order_asked(
    backend: Backend, endpoint: str, config: EndpointConfig, image_keys: list[str]
):
    keys = [image_keys[5], image_keys[0], image_keys[5]]
    rows = backend.endpoints.transform(config, keys)
    online = [backend.endpoints.invoke(endpoint, image(backend, key), "image/png") for key in keys]
    assert [list(row) for row in rows] == [pytest.approx(answer, abs=1e-4) for answer in online]


def test_batch_inference_leaves_no_captures(backend: Backend, config: EndpointConfig, image_keys: list[str]):
    before = [info.key for info in backend.objects.list(backend.endpoints.capture_prefix)]
    backend.endpoints.transform(config, image_keys[:2])
    assert [info.key for info in backend.objects.list(backend.endpoints.capture_prefix)] == before


def test_batch_inference_of_nothing_still_looks_at_the_artifact(backend: Backend, config: EndpointConfig):
    assert list(backend.endpoints.transform(config, [])) == []
    with pytest.raises(NotFound):
        backend.endpoints.transform(replace(config, artifact_key="models/gone.tar.gz", artifact_sha256="1" * 64), [])


def test_a_deleted_endpoint_is_gone(backend: Backend, config: EndpointConfig):
    backend.endpoints.deploy("scones-short", config)
    backend.endpoints.delete("scones-short")
    assert backend.endpoints.describe("scones-short") is None
    backend.endpoints.delete("scones-short")


# Trials


@pytest.fixture
def trial(config: EndpointConfig) -> Trial:
    return Trial(replace(config, model="v2", variant=TRIAL_VARIANT), 0.5)


def variants(backend: Backend, name: str) -> list[str]:
    """Variant names of the captured records."""
    return [
        key.removeprefix(backend.endpoints.capture_prefix).split("/")[1]
        for key in files(backend, name)
        for _ in backend.objects.get(key).splitlines()
    ]


def test_a_trial_answers_beside_the_champion_and_each_is_captured_under_its_name(
    backend: Backend, second: str, config: EndpointConfig, trial: Trial, image_keys: list[str]
):
    started = backend.endpoints.set_trial(second, trial)
    assert (started.status, started.config, started.trial) == ("InService", config, trial)
    assert backend.endpoints.describe(second) == started
    before, answers = Counter(variants(backend, second)), 0
    grown = before - before
    while set(grown) != {CHAMPION_VARIANT, TRIAL_VARIANT} and answers < 100:
        probabilities = backend.endpoints.invoke(second, image(backend, image_keys[0]), "image/png")
        assert sum(probabilities) == pytest.approx(1)
        answers, grown = answers + 1, Counter(variants(backend, second)) - before
    assert set(grown) == {CHAMPION_VARIANT, TRIAL_VARIANT}
    assert grown.total() == answers


def test_the_share_of_a_trial_is_changed_and_decides_who_answers(
    backend: Backend, second: str, trial: Trial, image_keys: list[str]
):
    backend.endpoints.set_trial(second, trial)
    assert backend.endpoints.set_trial(second, replace(trial, share=0.01)).trial == replace(trial, share=0.01)
    before = variants(backend, second).count(TRIAL_VARIANT)
    for _ in range(20):
        backend.endpoints.invoke(second, image(backend, image_keys[0]), "image/png")
    assert variants(backend, second).count(TRIAL_VARIANT) - before < 10


def test_another_trial_takes_the_place_of_the_one_before(backend: Backend, second: str, trial: Trial):
    backend.endpoints.set_trial(second, trial)
    other = Trial(replace(trial.config, model="v3"), 0.2)
    assert backend.endpoints.set_trial(second, other).trial == other


def test_after_a_trial_the_champion_serves_alone(
    backend: Backend, second: str, config: EndpointConfig, trial: Trial, image_keys: list[str]
):
    backend.endpoints.set_trial(second, trial)
    ended = backend.endpoints.set_trial(second, None)
    assert (ended.status, ended.config, ended.trial) == ("InService", config, None)
    before = variants(backend, second).count(TRIAL_VARIANT)
    for _ in range(10):
        backend.endpoints.invoke(second, image(backend, image_keys[0]), "image/png")
    assert variants(backend, second).count(TRIAL_VARIANT) == before
    assert backend.endpoints.set_trial(second, None).config == config


@pytest.mark.parametrize("model", ["v1", "v2", "v4"])
def test_a_deployment_ends_the_trial(backend: Backend, second: str, config: EndpointConfig, trial: Trial, model: str):
    backend.endpoints.set_trial(second, trial)
    deployed = backend.endpoints.deploy(second, replace(config, model=model))
    assert (deployed.config, deployed.trial) == (replace(config, model=model), None)


def test_a_trial_whose_artifact_is_missing_or_damaged_leaves_the_endpoint_as_it_was(
    backend: Backend, second: str, trial: Trial
):
    before = backend.endpoints.describe(second)
    gone = replace(trial.config, artifact_key="models/gone.tar.gz", artifact_sha256="2" * 64)
    with pytest.raises(NotFound, match="No object “models/gone"):
        backend.endpoints.set_trial(second, replace(trial, config=gone))
    with pytest.raises(Damaged):
        backend.endpoints.set_trial(second, replace(trial, config=replace(trial.config, artifact_sha256="2" * 64)))
    assert backend.endpoints.describe(second) == before


def test_a_trial_needs_an_endpoint(backend: Backend, trial: Trial):
    with pytest.raises(NotFound, match="scones-never-was"):
        backend.endpoints.set_trial("scones-never-was", trial)
