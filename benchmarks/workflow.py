"""The embedded workflow service against moto's interpreter: same state machine, same functions, same classifier.

`executions_per_second` counts executions of `classify_image` from the start of the first to the end of the last,
started by several threads. `cpu_ms_per_execution` is less moved by what else the machine does. Ours keeps every
execution and its history on disk, moto in memory. moto calls the functions in this process, as ours does; its own way,
a container for each, would be far slower. Both take turns, and the medians count.

`engine_alone` is the same with an endpoint that answers a constant on both sides: no image is classified.

`classify_batch` is one execution over the test images, copied until there are enough of them.
"""

import io
import json
import logging
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks._home import deployed
from scones_core.local.clients import RuntimeClient, S3Client
from scones_core.local.workflow import LocalWorkflows
from scones_core.local.workflow.definitions import substituted
from scones_core.local.workflow.functions import FunctionContext, load_handlers
from scones_core.ports import ExecutionStatus, WorkflowService
from scones_core.services import App, classification
from scones_core.settings import FILES, Settings
from tests.unit.asl.machines import FUNCTION
from tests.unit.asl.moto_runner import Moto, moto

ROUNDS, OURS, PEERS, BATCH, STARTERS = 3, 300, 40, 2_000, 8
PREFIX = "benchmark/"
Measure = Callable[[Sequence[str]], dict[str, float]]


def run() -> dict[str, Any]:
    """Figures of both, their ratios, and those of the batch. Takes about a minute."""
    logging.getLogger("moto").setLevel(logging.CRITICAL)  # it logs every low-confidence image, and at length
    with deployed() as app:
        keys = cycle(classification.sample_keys(app, 200, seed=0))
        runtime = RuntimeClient(app.backend.endpoints)
        ours = _measure(app.backend.workflows, lambda key: classification.start(app, key).name)
        figures = _against_moto(app, keys, ours, runtime)
        with _engine(app) as workflows:
            ours = _measure(workflows, lambda key: _started(app, workflows, key))
            alone = _against_moto(app, keys, ours, Constant())
        return {
            "classify_image": figures,
            "engine_alone": alone,
            "classify_batch": _batch(app, list(islice(keys, BATCH))),
        }


def _against_moto(app: App, keys: Iterator[str], ours: Measure, runtime: Any) -> dict[str, dict[str, float]]:
    with moto(_functions(app, runtime)) as peer:
        machine = peer.create(json.loads(_definition()))
        return _take_turns(
            embedded=lambda: ours(list(islice(keys, OURS))),
            moto=lambda: _moto(app, peer, machine, list(islice(keys, PEERS))),
        )


class Constant:
    """An endpoint that looks at no image."""

    def invoke_endpoint(self, **_request: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(b"[0.98, 0.02]")}


@contextmanager
def _engine(app: App) -> Iterator[LocalWorkflows]:
    """Workflows in a home of their own, which call the constant endpoint."""
    with tempfile.TemporaryDirectory(prefix="scones-benchmark-") as home:
        clients = {"s3": S3Client(app.backend.objects), "runtime": Constant()}
        workflows = LocalWorkflows(
            Path(home), definitions_dir=FILES / "infra", lambdas_dir=FILES / "lambdas", clients=clients
        )
        workflows.configure(_environment())
        try:
            yield workflows
        finally:
            workflows.close()


def _take_turns(**measures: Callable[[], dict[str, float]]) -> dict[str, dict[str, float]]:
    """The medians of the rounds, and ratios: ours divided by the peer's. The first round warms up."""
    rounds = [{name: measure() for name, measure in measures.items()} for _ in range(1 + ROUNDS)][1:]
    medians = {
        name: {figure: statistics.median(one[name][figure] for one in rounds) for figure in rounds[0][name]}
        for name in measures
    }
    ours, peer = medians.values()
    return {**medians, "ratios": {figure: ours[figure] / peer[figure] for figure in ours}}


def _measure(workflows: WorkflowService, start: Callable[[str], str]) -> Measure:
    return lambda keys: _measured(keys, start, lambda name: workflows.describe(name).status is ExecutionStatus.RUNNING)


def _started(app: App, workflows: WorkflowService, key: str) -> str:
    return workflows.start(classification.MACHINE, uuid.uuid4().hex, _step_input(app, key)).name


def _moto(app: App, peer: Moto, machine: str, keys: Sequence[str]) -> dict[str, float]:
    def start(key: str) -> str:
        return peer.start(machine, uuid.uuid4().hex, _step_input(app, key))

    return _measured(keys, start, peer.is_running)


def _measured(keys: Sequence[str], start: Callable[[str], str], is_running: Callable[[str], bool]) -> dict[str, float]:
    begin, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(STARTERS) as threads:
        names = list(threads.map(start, keys))
    for name in names:
        while is_running(name):
            time.sleep(0.005)
    return {
        "executions_per_second": len(keys) / (time.perf_counter() - begin),
        "cpu_ms_per_execution": (time.process_time() - cpu) / len(keys) * 1_000,
    }


def _step_input(app: App, key: str) -> dict[str, str]:
    return {"image_data": "", "s3_bucket": app.backend.objects.bucket, "s3_key": key}


def _definition() -> str:
    """The project's own file, with moto's ARNs of the functions."""
    text = substituted((FILES / "infra" / "classify_image.asl.json").read_text("utf-8"))
    return text.replace("arn:aws:lambda:local:000000000000:function:", FUNCTION)


def _environment() -> dict[str, str]:
    return {"ENDPOINT_NAME": Settings().endpoint, "THRESHOLD": "0.93"}


def _functions(app: App, runtime: Any) -> dict[str, Callable[[Any], Any]]:
    """The functions of `lambdas/`, bound to the same objects and the same endpoint."""
    clients = {"s3": S3Client(app.backend.objects), "runtime": runtime}
    environment = _environment()

    def of_one_argument(name: str, function: Any) -> Callable[[Any], Any]:
        return lambda event: function(event, FunctionContext(name), environment)

    handlers = load_handlers(FILES / "lambdas", clients)
    return {name: of_one_argument(name, function) for name, function in handlers.items()}


def _batch(app: App, keys: Sequence[str]) -> dict[str, Any]:
    for number, key in enumerate(keys):
        app.backend.objects.put(f"{PREFIX}{number:05}.png", app.backend.objects.get(key))
    given = {"s3_bucket": app.backend.objects.bucket, "s3_prefix": PREFIX}
    begin = time.perf_counter()
    app.backend.workflows.start("classify_batch", "benchmark", given)
    while (execution := app.backend.workflows.describe("benchmark")).status is ExecutionStatus.RUNNING:
        time.sleep(0.05)
    seconds = time.perf_counter() - begin
    assert execution.output["images"] == len(keys), execution
    counts = {name: execution.output[name] for name in ("images", "accepted", "low_confidence", "errors")}
    return {**counts, "seconds": seconds, "images_per_second": len(keys) / seconds}
