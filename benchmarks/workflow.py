"""The embedded workflow service against moto's interpreter: same state machine, same functions, same classifier.

`executions_per_second` counts executions of `classify_image` from the start of the first to the end of the last,
started by several threads. `cpu_ms_per_execution` is less moved by what else the machine does. Ours keeps every
execution and its history on disk, moto in memory. moto calls the functions in this process, as ours does; its own way,
a container for each, would be far slower. Both take turns, and the medians count.

`classify_batch` is one execution over the test images, copied until there are enough of them.
"""

import json
import logging
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any

from benchmarks._home import deployed
from scones_core.local.clients import RuntimeClient, S3Client
from scones_core.local.workflow.definitions import substituted
from scones_core.local.workflow.functions import FunctionContext, load_handlers
from scones_core.ports import ExecutionStatus
from scones_core.services import App, classification
from scones_core.settings import FILES, Settings
from tests.unit.asl_machines import FUNCTION
from tests.unit.asl_moto import Moto, moto

ROUNDS, OURS, PEERS, BATCH, STARTERS = 3, 300, 40, 2_000, 8
PREFIX = "benchmark/"


def run() -> dict[str, Any]:
    """Figures of both, their ratios, and those of the batch. Takes about a minute."""
    logging.getLogger("moto").setLevel(logging.CRITICAL)  # it logs every low-confidence image, and at length
    with deployed() as app:
        keys = cycle(classification.sample_keys(app, 200, seed=0))
        with moto(_functions(app)) as peer:
            machine = peer.create(json.loads(_definition()))
            figures = _take_turns(
                embedded=lambda: _embedded(app, list(islice(keys, OURS))),
                moto=lambda: _moto(app, peer, machine, list(islice(keys, PEERS))),
            )
        return {"classify_image": figures, "classify_batch": _batch(app, list(islice(keys, BATCH)))}


def _take_turns(**measures: Callable[[], dict[str, float]]) -> dict[str, dict[str, float]]:
    """The medians of the rounds, and ratios: ours divided by the peer's. The first round warms up."""
    rounds = [{name: measure() for name, measure in measures.items()} for _ in range(1 + ROUNDS)][1:]
    medians = {
        name: {figure: statistics.median(one[name][figure] for one in rounds) for figure in rounds[0][name]}
        for name in measures
    }
    ours, peer = medians.values()
    return {**medians, "ratios": {figure: ours[figure] / peer[figure] for figure in ours}}


def _embedded(app: App, keys: Sequence[str]) -> dict[str, float]:
    def describe(name: str) -> bool:
        return app.backend.workflows.describe(name).status is ExecutionStatus.RUNNING

    return _measured(keys, lambda key: classification.start(app, key).name, describe)


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


def _functions(app: App) -> dict[str, Callable[[Any], Any]]:
    """The functions of `lambdas/`, bound to the same objects and the same endpoint."""
    clients = {"s3": S3Client(app.backend.objects), "runtime": RuntimeClient(app.backend.endpoints)}
    environment = {"ENDPOINT_NAME": Settings().endpoint, "THRESHOLD": "0.93"}

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
