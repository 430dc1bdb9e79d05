"""What an endpoint service does, on every backend."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from scones_core.domain.capture import parse
from scones_core.errors import BadImage, Damaged, NotFound
from scones_core.ports import Backend, EndpointConfig

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
    with pytest.raises(NotFound, match="no object “models/gone"):
        backend.endpoints.deploy(second, replace(config, artifact_key="models/gone.tar.gz", artifact_sha256="0" * 64))
    assert backend.endpoints.describe(second).config == config


def test_an_artifact_with_another_checksum_is_not_deployed(backend: Backend, second: str, config: EndpointConfig):
    with pytest.raises(Damaged):
        backend.endpoints.deploy(second, replace(config, artifact_sha256="0" * 64))
    assert backend.endpoints.describe(second).config == config


def test_an_unknown_endpoint_is_not_there(backend: Backend):
    assert backend.endpoints.describe("never-was") is None
    with pytest.raises(NotFound, match="never-was"):
        backend.endpoints.invoke("never-was", b"", "image/png")


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
