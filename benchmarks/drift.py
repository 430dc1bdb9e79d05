"""False alarms of the drift watch over a model's life, and inferences until it alarms, beside the badge it replaced.

Each run draws 200 reference images and its inferences from the population, with replacement. Without drift there are
10,000 of them. With drift the first 500 are as trained, and all later ones dark, blurred or noisy. `delay` counts the
inferences from the change to the alarm; runs that alarmed before are left out. `since_holds` is the share of alarms
whose 95% interval of the beginning holds it, `since_width` the mean width of that interval.

The peer, `badge`, is the two-sample test on the newest 200 inferences, looked at every ten, in a twentieth of the runs.
`mean_rule` alarms when the mean of the six wealths reaches 20, in the same runs.
"""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._badge import drift
from benchmarks._population import DRIFTS, Population, populations
from scones_core.domain.drift import DriftLevel, SimulatedDrift
from scones_core.domain.martingale import LEVEL, DriftWatch, began, begin, observe

REFERENCE, LIFE, BEFORE, AFTER = 200, 10_000, 500, 400
AT_ONCE = 100  # streams watched together
LOOK, WINDOW = 10, 200  # of the badge

Floats = npt.NDArray[np.float64]


def run(runs: int = 1000) -> dict[str, Any]:
    """Figures of 1,000 lives, and of a fifth as many changes of each kind.  Takes about ten minutes."""
    begun, found = time.perf_counter(), populations()
    calm = found[SimulatedDrift.NONE]
    changed = {str(kind): _delays(calm, found[kind], max(runs // 5, 1)) for kind in DRIFTS[1:]}
    return {
        "images": len(calm.labels),
        "runs": runs,
        "level": LEVEL,
        "standard_error": float(np.sqrt(LEVEL * (1 - LEVEL) / runs)),
        "false_alarms": _false_alarms(calm, runs),
        "delay": changed,
        "seconds": time.perf_counter() - begun,
    }


def _false_alarms(calm: Population, runs: int) -> dict[str, float]:
    """Shares of lives with an alarm, after 1,000, 3,000 and 10,000 inferences."""
    ends = (1_000, 3_000, LIFE)
    alarmed = np.zeros((len(ends), runs), dtype=bool)
    mean_rule = np.zeros(runs, dtype=bool)
    for first in range(0, runs, AT_ONCE):
        some = slice(first, min(first + AT_ONCE, runs))
        random = np.random.default_rng(first)
        watch = _watch(calm, some.stop - first, random, first)
        for end in range(0, LIFE, 100):
            watch = observe(watch, _drawn(calm, some.stop - first, 100, random))
            mean_rule[some] |= watch.evidence.mean(axis=1) >= 1 / LEVEL  # at every hundredth
            for row, limit in enumerate(ends):
                if end + 100 == limit:
                    alarmed[row, some] = watch.alarm
    badge = _badge_alarms(calm, max(runs // 20, 1), ends)
    shares = {f"watch_{end}": float(row.mean()) for end, row in zip(ends, alarmed, strict=True)}
    return {**shares, "mean_rule_at_every_hundredth": float(mean_rule.mean()), **badge}


def _watch(calm: Population, streams: int, random: np.random.Generator, seed: int) -> DriftWatch:
    return begin(_drawn(calm, streams, REFERENCE, random), seed=seed)


def _drawn(population: Population, streams: int, count: int, random: np.random.Generator) -> Floats:
    rows = random.integers(len(population.labels), size=(streams, count))
    return np.asarray(population.observations[rows])


def _badge_alarms(calm: Population, runs: int, ends: tuple[int, ...]) -> dict[str, float]:
    first = [_badge(calm, calm, LIFE, seed) for seed in range(runs)]
    return {f"badge_{end}": float(np.mean([at is not None and at <= end for at in first])) for end in ends}


def _badge(calm: Population, after: Population, before: int, seed: int, later: int = 0) -> int | None:
    """Number of inferences at the badge's first alarm."""
    random = np.random.default_rng(seed)
    reference = _drawn(calm, 1, REFERENCE, random)[0]
    stream = np.concatenate([_drawn(calm, 1, before, random)[0], _drawn(after, 1, later, random)[0]])
    for end in range(LOOK, len(stream) + 1, LOOK):
        recent = stream[max(0, end - WINDOW) : end]
        classes = [rows[:, 1].astype(int).tolist() for rows in (reference, recent)]
        if drift(reference[:, 0], recent[:, 0], *classes, classes=2).level is DriftLevel.DRIFT:
            return end
    return None


def _delays(calm: Population, after: Population, runs: int) -> dict[str, Any]:
    random = np.random.default_rng(1)
    watch = observe(_watch(calm, runs, random, 1), _drawn(calm, runs, BEFORE, random))
    early = watch.alarm
    delay = np.full(runs, np.inf)
    held, widths = [], []
    for step in range(1, AFTER + 1):
        watch = observe(watch, _drawn(after, runs, 1, random))
        for stream in np.flatnonzero(watch.alarm & ~early & np.isinf(delay)):
            delay[stream] = step
            _, first, last = began(_only(watch, int(stream)))
            held.append(first <= BEFORE <= last)
            widths.append(last - first)
        if (watch.alarm | early).all():
            break
    found = delay[~early]
    looks = [_badge(calm, after, BEFORE, seed, AFTER) for seed in range(max(runs // 4, 1))]
    peer = [np.inf if at is None else at - BEFORE for at in looks if at is None or at > BEFORE]
    return {
        "median": float(np.median(found)),
        "ninetieth": float(np.quantile(found, 0.9)),
        "missed": float(np.isinf(found).mean()),
        "since_holds": float(np.mean(held)),
        "since_width": float(np.mean(widths)),
        "badge_median": float(np.median(peer)),
        "badge_missed": float(np.isinf(peer).mean()),
    }


def _only(watch: DriftWatch, stream: int) -> DriftWatch:
    one = slice(stream, stream + 1)
    return replace(
        watch, bag=watch.bag[one], wealth=watch.wealth[one], p_values=watch.p_values[one], peak=watch.peak[one]
    )
