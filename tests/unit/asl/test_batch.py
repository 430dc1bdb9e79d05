"""The project's own machines with the real functions, over objects in memory and an endpoint that knows its answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scones_core.errors import BadImage, NotFound, Unavailable
from scones_core.local.clients import RuntimeClient, S3Client
from scones_core.local.workflow import LocalWorkflows
from scones_core.ports import Execution, ExecutionStatus
from tests.unit.asl.home import ended
from tests.unit.asl.world import MemoryObjects
from tests.waiting import until

ROOT = Path(__file__).parents[3]
PNG = b"\x89PNG\r\n\x1a\n"


class Endpoint:
    """An endpoint service whose answer is in the image; it remembers how it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes, str, str | None, str | None]] = []

    def invoke(
        self,
        name: str,
        body: bytes,
        content_type: str,
        *,
        inference_id: str | None = None,
        custom_attributes: str | None = None,
    ) -> list[float]:
        self.asked.append((name, body, content_type, inference_id, custom_attributes))
        if name != "scones":
            raise NotFound(name)
        if b"broken" in body:
            raise BadImage("it is no image")
        if b"down" in body:
            raise Unavailable("the model does not load")
        return [0.97, 0.03] if b"sure" in body else [0.6, 0.4]


class World:
    def __init__(self, folder: Path) -> None:
        self.objects = MemoryObjects()
        self.endpoint = Endpoint()
        self.workflows = LocalWorkflows(
            folder,
            definitions_dir=ROOT / "infra",
            lambdas_dir=ROOT / "lambdas",
            clients={"s3": S3Client(self.objects), "runtime": RuntimeClient(self.endpoint)},  # type: ignore[arg-type]
        )
        self.workflows.configure({"ENDPOINT_NAME": "scones", "THRESHOLD": "0.93"})

    def run(self, machine: str, given: Any) -> Execution:
        name = f"run-{len(self.workflows.list())}"
        self.workflows.start(machine, name, given)
        return ended(self.workflows, name)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.workflows.close()


def step_input(key: str) -> dict[str, str]:
    return {"image_data": "", "s3_bucket": "bucket", "s3_key": key}


# One image


def test_a_confident_image_passes_through_the_three_functions(world: World):
    world.objects.put("test/a.png", PNG + b"sure")
    execution = world.run("classify_image", step_input("test/a.png"))
    assert execution.status is ExecutionStatus.SUCCEEDED
    assert execution.output["statusCode"] == 200
    assert execution.output["body"]["inferences"] == [0.97, 0.03]
    ((name, body, content_type, inference_id, custom_attributes),) = world.endpoint.asked
    assert (name, body, content_type) == ("scones", PNG + b"sure", "image/png")
    assert custom_attributes == "s3_key=test/a.png"
    assert inference_id


def test_a_low_confidence_image_fails_loudly_and_is_not_retried(world: World):
    world.objects.put("test/a.png", PNG)
    execution = world.run("classify_image", step_input("test/a.png"))
    assert (execution.status, execution.error) == (ExecutionStatus.FAILED, "THRESHOLD_CONFIDENCE_NOT_MET")
    assert "0.6 does not exceed the threshold 0.93" in json.loads(execution.cause or "")["errorMessage"]
    types = [event["type"] for event in world.workflows.history(execution.name)]
    assert types.count("TaskFailed") == 1


def test_the_threshold_can_be_changed_between_executions(world: World):
    world.objects.put("test/a.png", PNG)
    world.workflows.configure({"THRESHOLD": "0.5"})
    assert world.run("classify_image", step_input("test/a.png")).status is ExecutionStatus.SUCCEEDED


def test_an_image_too_large_for_the_payload_is_classified_too(world: World):
    world.objects.put("test/a.png", PNG + b"sure" * 100_000)
    execution = world.run("classify_image", step_input("test/a.png"))
    assert execution.status is ExecutionStatus.SUCCEEDED
    assert execution.output["body"]["image_data"] == ""


def test_an_image_that_nearly_fills_the_payload_is_classified_too(world: World):
    world.objects.put("test/a.png", (PNG + b"sure").ljust(193_300, b"."))
    execution = world.run("classify_image", step_input("test/a.png"))
    assert execution.status is ExecutionStatus.SUCCEEDED
    assert execution.output["body"]["image_data"] != ""


@pytest.mark.parametrize(
    ("image", "environment", "error"),
    [
        (None, {}, "NoSuchKey"),
        (b"broken", {}, "ModelError"),
        (b"down", {}, "ServiceUnavailable"),
        (b"sure", {"ENDPOINT_NAME": "gone"}, "ValidationError"),
        (b"sure", {"ENDPOINT_NAME": ""}, "ValueError"),
    ],
)
def test_what_goes_wrong_has_the_name_that_it_has_on_aws(
    world: World, image: bytes | None, environment: dict[str, str], error: str
):
    if image is not None:
        world.objects.put("test/a.png", PNG + image)
    world.workflows.configure(environment)
    assert world.run("classify_image", step_input("test/a.png")).error == error


# A batch


def test_a_batch_sums_up_every_image_under_the_prefix(world: World):
    images = {"a": b"sure", "b": b"", "c": b"broken", "d": b"sure", "e": b""}
    for name, content in images.items():
        world.objects.put(f"test/{name}.png", PNG + content)
    world.objects.put("train/f.png", PNG)
    execution = world.run("classify_batch", {"s3_bucket": "bucket", "s3_prefix": "test/"})
    assert execution.status is ExecutionStatus.SUCCEEDED, execution.cause
    output = execution.output
    assert (output["images"], output["accepted"], output["low_confidence"], output["errors"]) == (5, 2, 2, 1)
    assert sorted(output["low_confidence_keys"]) == ["test/b.png", "test/e.png"]
    assert output["error_keys"] == ["test/c.png"]
    summary = json.loads(world.objects.get(output["summary"]["s3_key"]))
    assert summary["errors"][0]["error"] == "ModelError"
    assert {image["s3_key"] for image in summary["low_confidence"]} == {"test/b.png", "test/e.png"}
    (run,) = world.workflows.map_runs(execution.name)
    assert (run["itemCounts"]["succeeded"], run["itemCounts"]["failed"]) == (4, 1)


def test_a_batch_of_nothing_is_an_empty_summary(world: World):
    output = world.run("classify_batch", {"s3_bucket": "bucket", "s3_prefix": "none/"}).output
    assert (output["images"], output["accepted"]) == (0, 0)


def test_a_batch_takes_no_more_images_than_it_is_asked_to(world: World):
    for number in range(9):
        world.objects.put(f"test/{number}.png", PNG)
    given = {"s3_bucket": "bucket", "s3_prefix": "test/", "max_items": 4, "results_prefix": "elsewhere"}
    output = world.run("classify_batch", given).output
    assert output["images"] == 4
    assert output["summary"]["s3_key"].startswith("elsewhere/")


def test_a_batch_beyond_a_states_output_keeps_its_answer_small(world: World):
    for number in range(1_200):
        world.objects.put(f"test/{number:05}.png", PNG)
    output = world.run("classify_batch", {"s3_bucket": "bucket", "s3_prefix": "test/"}).output
    assert output["low_confidence"] == 1_200
    assert len(output["low_confidence_keys"]) < 100
    summary = json.loads(world.objects.get(output["summary"]["s3_key"]))
    assert len(summary["low_confidence"]) == 1_200


def test_a_batch_can_be_watched_and_stopped(world: World):
    for number in range(3_000):
        world.objects.put(f"test/{number:05}.png", PNG)
    world.workflows.start("classify_batch", "long", {"s3_bucket": "bucket", "s3_prefix": "test/"})
    until(lambda: any(run["itemCounts"]["succeeded"] for run in world.workflows.map_runs("long")))
    (run,) = world.workflows.map_runs("long")
    assert run["itemCounts"]["total"] == 3_000
    world.workflows.stop("long")
    assert ended(world.workflows, "long").status is ExecutionStatus.ABORTED
    assert world.workflows.map_runs("long")[0]["status"] == "ABORTED"
