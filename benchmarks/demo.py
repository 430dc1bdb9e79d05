"""How often the demo's second model is better than its first, and how long the demo takes.

Each run draws another base of the training images; the 200 test images stay sealed. As in the demo, a model is trained
on the base, classifies `sent` images of the rest, the `reviewed` least confident ones are labelled by someone who is
never wrong, and a second model is trained on both. `better` is the share of runs in which the second model is right on
more test images; `significant` that in which the comparison says so; `standard_error` is the simulation's own.

`whole_base`, the peer: the same with all but 200 training images as the base and 20 reviews. Reviews add little to a
model that has learnt from so many.

`seconds`: the demo itself, once, on the generated sample in a temporary home.
"""

import math
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._home import empty
from benchmarks._images import CLASSES, load
from scones_core.domain.comparison import Comparison, Verdict, compare
from scones_core.services import demo
from scones_core.vision.fitting import fit

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """base : images of each class the first model learns from; sent, reviewed : images."""

    base: int
    sent: int
    reviewed: int


DEMO = Setting(demo.BASE, demo.IMAGES, demo.REVIEWS)
WHOLE_BASE = Setting(400, 200, 20)
PEER_SHARE = 5  # the peer's runs take longer: one of so many


def run(runs: int = 100) -> dict[str, Any]:
    """Shares of runs, accuracies, and the demo's seconds. Takes five minutes on two cores."""
    load("test")  # report a missing folder before processes start
    began = time.perf_counter()
    with empty() as app:
        for _ in demo.run(app):
            pass
    seconds = time.perf_counter() - began
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as processes:
        found = list(processes.map(partial(_compared, DEMO), range(runs)))
        peer = list(processes.map(partial(_compared, WHOLE_BASE), range(max(1, runs // PEER_SHARE))))
    return {
        "demo": {**asdict(DEMO), **_figures(found)},
        "whole_base": {**asdict(WHOLE_BASE), **_figures(peer)},
        "seconds": seconds,
    }


def _compared(setting: Setting, seed: int) -> Comparison:
    images, test = load("train"), load("test")
    order = np.random.default_rng(seed).permutation(len(images.labels))
    labels = np.array(images.labels)[order]
    base = np.concatenate([order[labels == index][: setting.base] for index in range(len(CLASSES))])
    sent: Rows = order[~np.isin(order, base)][: setting.sent]

    def trained(rows: Rows) -> Any:
        chosen = images.take(np.sort(rows))
        return fit(chosen.files, chosen.labels, CLASSES, seed=0)

    first = trained(base)
    confidence = first.predict_proba(images.take(sent).files).max(axis=1)
    second = trained(np.concatenate([base, sent[np.argsort(confidence)[: setting.reviewed]]]))
    answers = [model.predict_proba(test.files).argmax(axis=1).tolist() for model in (first, second)]
    return compare(test.labels, *answers)


def _figures(found: Sequence[Comparison]) -> dict[str, Any]:
    better = float(np.mean([one.challenger_accuracy > one.champion_accuracy for one in found]))
    return {
        "runs": len(found),
        "better": better,
        "standard_error": math.sqrt(better * (1 - better) / len(found)),
        "significant": float(np.mean([one.verdict is Verdict.BETTER for one in found])),
        "first_accuracy": float(np.mean([one.champion_accuracy for one in found])),
        "second_accuracy": float(np.mean([one.challenger_accuracy for one in found])),
        "least_gain": float(min(one.difference for one in found)),
    }
