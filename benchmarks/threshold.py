"""How often a promised threshold is broken, what it accepts, and whether the planner's numbers of labels are enough.

`looks`: 400 labels drawn at random from production, and a promise asked for after every ten. `broken` is the share of
runs in which any of the 40 looks promises a threshold with more errors in the population than promised.
`over_all_looks` is the product's bound; `each_look_alone`, its peer, takes Clopper and Pearson's at each look.

`audits`: share of runs in which labels keep a promise, and what is accepted on average: drawn at random above the cut
(`promise`), at random among all (`random`), or the least confident first.

`evidence`: the fixed bound on 200 test images alone, and with 800 held-out answers beside them.

`planner`: labels planned over labels needed; `within_20_percent` is the share of runs in which that is .8 to 1.2. For
± .03 they are planned after an audit of 100, and needed is the number at which audits are that precise on average. For
a promise they are planned from the confidences of 1,200 inferences and 1,000 held-out answers, and needed is the lowest
number with which 80 of 100 promise audits of these inferences end with a promise; `enough` is the share of audits that
do with the number planned. A difference of four points, between two models that disagree on twelve of a hundred images,
is planned from 1,000 test images, and needed is the number on which it is found in 80 of 100 comparisons.
"""

import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks._population import Population, populations
from scones_core.domain.audit import Sample, figures
from scones_core.domain.audit_draw import draw, inclusion_probabilities
from scones_core.domain.comparison import SIGNIFICANT, mcnemar_p_value
from scones_core.domain.confidence import propose_threshold
from scones_core.domain.drift import SimulatedDrift
from scones_core.domain.planning import images_for_difference, labels_for_interval
from scones_core.domain.promise import SURE, Labels, PlannedAudit, cut_for, evidence, promise, start_for

LEVEL, MAX_RISK = 0.9, 0.05
PERIOD, LABELS, EVERY, HELD_OUT = 1_200, 400, 10, 1_000
HALF_WIDTH, PILOT = 0.03, 100
BETTER, WORSE = 0.08, 0.04  # shares of images that only one of two models classifies correctly


def run(runs: int = 500) -> dict[str, Any]:
    """All of it.  Takes about eight minutes."""
    begun, found = time.perf_counter(), populations()
    calm = found[SimulatedDrift.NONE]
    return {
        "images": len(calm.labels),
        "runs": runs,
        "level": LEVEL,
        "standard_error": float(np.sqrt(LEVEL * (1 - LEVEL) / runs)),
        "looks": _looks(calm, runs),
        "audits": {
            f"{risk:.0%} of {count}": _audits(calm, risk, count, runs) for risk, count in ((0.05, 200), (0.02, 400))
        },
        "evidence": _evidence(calm, runs),
        "planner": _planner(found, runs),
        "seconds": time.perf_counter() - begun,
    }


def _risk(population: Population, threshold: float) -> float:
    accepted = population.confidences > threshold
    return float((~population.correct[accepted]).mean()) if accepted.any() else 0.0


def _drawn(population: Population, rows: Any, cut: float = 0.0) -> Labels:
    return Labels.at_random(population.confidences[rows], ~population.correct[rows], cut)


def _looks(population: Population, runs: int) -> dict[str, Any]:
    broken, alone, once = 0, 0, 0
    for seed in range(runs):
        rows = np.random.default_rng(seed).integers(len(population.labels), size=LABELS)
        over_all, each = [], []
        every = np.full(len(population.labels), LABELS / len(population.labels))
        start = start_for(population.confidences, every, max_risk=MAX_RISK, level=LEVEL)
        for count in range(EVERY, LABELS + 1, EVERY):
            labels = _drawn(population, rows[:count])
            made = promise(labels, max_risk=MAX_RISK, level=LEVEL, start=start)
            over_all.append(made is not None and _risk(population, made.threshold) > MAX_RISK)
            peer = propose_threshold(labels.confidences, ~labels.wrong, max_risk=MAX_RISK, level=LEVEL)
            each.append(peer is not None and _risk(population, peer.threshold) > MAX_RISK)
        broken, alone, once = broken + any(over_all), alone + any(each), once + each[-1]
    return {
        "promised": 1 - LEVEL,
        "over_all_looks": {"broken": broken / runs},
        "each_look_alone": {"broken": alone / runs},
        "fixed_bound_asked_once": {"broken": once / runs},
    }


def _audits(population: Population, max_risk: float, count: int, runs: int) -> dict[str, Any]:
    figures: dict[str, list[float | None]] = {"promise": [], "random": [], "least_confident": []}
    broken = 0
    for seed in range(runs):
        random = np.random.default_rng(seed)
        period = random.integers(len(population.labels), size=PERIOD)
        cut = cut_for(population.confidences[period], max_risk)
        above = period[population.confidences[period] > cut]
        low = np.sort(population.confidences[period])[count]
        ways: dict[str, tuple[Any, float, Callable[[Any], Any]]] = {
            "promise": (above, cut, random.permutation),
            "random": (period, 0.0, random.permutation),
            "least_confident": (period[population.confidences[period] < low], 0.0, np.array),
        }
        for way, (drawn, lowest, order) in ways.items():
            equal = np.full(len(drawn), min(1.0, count / len(drawn)))
            start = start_for(population.confidences[drawn], equal, max_risk=max_risk, level=LEVEL, cut=lowest)
            labels = _drawn(population, order(drawn)[:count], lowest)
            made = promise(labels, max_risk=max_risk, level=LEVEL, start=start)
            figures[way].append(None if made is None else float((population.confidences > made.threshold).mean()))
            broken += way == "promise" and made is not None and _risk(population, made.threshold) > max_risk
    found = {way: {"kept": _kept(some), "coverage": _mean(some)} for way, some in figures.items()}
    return {**found, "promise_broken": broken / runs}


def _kept(coverages: list[float | None]) -> float:
    return float(np.mean([one is not None for one in coverages]))


def _mean(coverages: list[float | None]) -> float:
    """Coverage, where no promise accepts nothing."""
    return float(np.mean([one or 0.0 for one in coverages]))


def _evidence(population: Population, runs: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, count in (("test_images", 200), ("with_held_out", 1_000)):
        coverages: list[float | None] = []
        broken = 0
        for seed in range(runs):
            rows = np.random.default_rng(seed).integers(len(population.labels), size=count)
            made = propose_threshold(
                population.confidences[rows], population.correct[rows], max_risk=MAX_RISK, level=LEVEL
            )
            coverages.append(None if made is None else float((population.confidences > made.threshold).mean()))
            broken += made is not None and _risk(population, made.threshold) > MAX_RISK
        found[name] = {"kept": _kept(coverages), "coverage": _mean(coverages), "broken": broken / runs}
    return found


def _planner(found: dict[SimulatedDrift, Population], runs: int) -> dict[str, Any]:
    intervals = {str(kind): _interval_plans(found[kind], runs) for kind in (SimulatedDrift.NONE, SimulatedDrift.DARK)}
    return {
        "interval": intervals,
        "promise": _promise_plans(found[SimulatedDrift.NONE], runs),
        "comparison": _comparison(runs),
    }


def _told(planned: list[float], needed: list[float]) -> dict[str, float]:
    ratios = np.array(planned) / np.array(needed)
    return {
        "needed": float(np.median(needed)),
        "planned": float(np.median(planned)),
        "within_20_percent": float(np.mean((ratios >= 0.8) & (ratios <= 1.2))),
    }


def _audited(population: Population, labels: int, seed: int) -> Sample:
    probabilities = inclusion_probabilities(population.confidences, labels)
    rows = draw(probabilities, seed)
    return Sample(population.confidences, population.predictions, rows, probabilities[rows], population.labels[rows])


def _interval_plans(population: Population, runs: int) -> dict[str, float]:
    low, high = 2, len(population.labels)
    while low < high:
        middle = (low + high) // 2
        audits = [figures(_audited(population, middle, seed), threshold=0.93, classes=2) for seed in range(50)]
        enough = np.mean([one.accuracy.half_width for one in audits]) <= HALF_WIDTH
        low, high = (low, middle) if enough else (middle + 1, high)
    pilots = (_audited(population, PILOT, seed) for seed in range(runs))
    planned = [labels_for_interval(population.confidences, HALF_WIDTH, earlier=pilot) for pilot in pilots]
    return _told([float(count) for count in planned], [float(low)] * runs)


def _promise_plans(population: Population, runs: int) -> dict[str, float]:
    planned, needed, kept = [], [], []
    for seed in range(runs):
        random = np.random.default_rng(seed)
        period = random.integers(len(population.labels), size=PERIOD)
        known = _drawn(population, random.integers(len(population.labels), size=HELD_OUT))
        cut = cut_for(population.confidences[period], MAX_RISK)
        plan = PlannedAudit(population.confidences[period], cut, MAX_RISK, LEVEL, known).labels()
        planned.append(float(plan or np.inf))
        counts = itertools.accumulate(
            itertools.repeat(1.02), lambda count, step: max(count + 1, int(count * step)), initial=20
        )
        needed.append(
            float(next(count for count in counts if _ended_with_a_promise(population, period, cut, count) >= SURE))
        )
        kept.append(_ended_with_a_promise(population, period, cut, plan) if plan else 0.0)
    return {**_told(planned, needed), "enough": float(np.mean(kept))}


def _ended_with_a_promise(population: Population, period: Any, cut: float, labels: int, audits: int = 400) -> float:
    """Share of audits of so many labels, drawn at random above the cut, that keep a promise where their walk starts."""
    confidences, wrong = population.confidences[period], ~population.correct[period]
    above = np.flatnonzero(confidences > cut)
    probabilities = np.where(confidences > cut, labels / len(above), 0.0)
    start = start_for(confidences, probabilities, max_risk=MAX_RISK, level=LEVEL, cut=cut)
    rows = np.random.default_rng(labels).choice(above, (audits, labels))
    accepted = confidences[rows] > start
    found = np.column_stack([accepted.sum(axis=1), (accepted & wrong[rows]).sum(axis=1)])
    kinds, times = np.unique(found, axis=0, return_counts=True)
    held = [evidence(np.arange(n) < errors, np.ones(n), MAX_RISK) >= -np.log(1 - LEVEL) for n, errors in kinds]
    return float(np.average(held, weights=times))


def _comparison(runs: int) -> dict[str, float]:
    disagreeing = [int(np.random.default_rng(seed).binomial(1_000, BETTER + WORSE)) for seed in range(runs)]
    planned = [images_for_difference(BETTER - WORSE, count, 1_000) for count in disagreeing]
    low, high = 100, 10_000
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _found(middle) >= SURE else (middle + 1, high)
    return _told([float(count) for count in planned], [float(low)] * runs)


def _found(images: int, comparisons: int = 4_000) -> float:
    """Share of comparisons on so many images that find the difference."""
    drawn = np.random.default_rng(images).multinomial(images, [BETTER, WORSE, 1 - BETTER - WORSE], size=comparisons)
    return float(np.mean([mcnemar_p_value(int(b), int(c)) < SIGNIFICANT for b, c, _ in drawn]))
