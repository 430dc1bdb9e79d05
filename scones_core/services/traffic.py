"""Test traffic: a steady stream or a burst of images, unchanged or with simulated drift."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scones_core import logs
from scones_core.domain.datasets import TRAFFIC
from scones_core.domain.drift import SimulatedDrift
from scones_core.errors import BadInput
from scones_core.services import classification
from scones_core.services.app import App, Progress, silent
from scones_core.sources.drift import drifted

WORKERS = 8
MOSTLY = 0.9  # share of the dominant class in a changed class mix


@dataclass(frozen=True)
class Sent:
    """failed: executions that did not succeed, most for low confidence. asked: images per second; None for a burst."""

    sent: int
    succeeded: int
    failed: int
    seconds: float
    asked: float | None = None

    @property
    def rate(self) -> float:
        """Images per second that were sent."""
        return self.sent / self.seconds if self.seconds else 0.0


@logs.use_case
def send(
    app: App,
    count: int,
    *,
    rate: float | None = None,
    drift: SimulatedDrift = SimulatedDrift.NONE,
    seed: int | None = None,
    progress: Progress = silent,
    go_on: Callable[[], bool] = lambda: True,
) -> Sent:
    """Send `count` images of the pool through the workflow, or test images if there is no pool.

    rate : images per second; None sends a burst. go_on : called before each image; False ends the traffic.
    Raises BadInput, NotFound.
    """
    if rate is not None and rate <= 0:
        raise BadInput(f"The rate {rate} must be above 0: enter images per second.")
    started = time.monotonic()
    keys = _paced(app, _keys(app, count, drift, seed), drift, rate, go_on)
    found = classification.classify(app, keys, workers=WORKERS, total=count, progress=progress)
    succeeded = sum(item.status == "SUCCEEDED" for item in found)
    return Sent(len(found), succeeded, len(found) - succeeded, round(time.monotonic() - started, 3), rate)


def _keys(app: App, count: int, drift: SimulatedDrift, seed: int | None) -> list[str]:
    if drift is not SimulatedDrift.CLASS_MIX or count < 1:
        return classification.sample_keys(app, count, seed=seed)
    draw, images = random.Random(seed), classification.sent_images(app)
    last = max(image.class_index for image in images)
    of_class = {flag: [i.key for i in images if (i.class_index == last) is flag] for flag in (True, False)}
    return [draw.choice(of_class[draw.random() < MOSTLY]) for _ in range(count)]


def _paced(
    app: App, keys: list[str], drift: SimulatedDrift, rate: float | None, go_on: Callable[[], bool]
) -> Iterator[str]:
    started = time.monotonic()
    for number, key in enumerate(keys):
        if rate:
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
        if not go_on():
            return
        yield _sent_key(app, key, drift)


def _sent_key(app: App, key: str, drift: SimulatedDrift) -> str:
    """Key of the image with drift applied; ends in the key of the original."""
    if drift in (SimulatedDrift.NONE, SimulatedDrift.CLASS_MIX):
        return key
    changed = f"{TRAFFIC}{drift}/{key}"
    if not app.backend.objects.exists(changed):
        app.backend.objects.put(changed, drifted(app.backend.objects.get(key), drift))
    return changed
