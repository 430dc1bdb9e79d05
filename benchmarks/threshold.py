"""How often a promised threshold is broken, what it accepts, and whether the planner's numbers of labels are enough.

`looks`: 400 labels drawn at random from production, and a promise asked for after every ten: of 2% as trained, 10%
in the dark, which low thresholds do not keep. `broken` is the share of runs in which any of the 40 looks promises a
threshold with more errors in the population than promised. `over_all_looks` is the product's bound; `each_look_alone`,
its peer, takes Clopper and Pearson's at each look.

`audits`: share of runs in which labels keep a promise, and what is accepted on average: drawn at random above the cut
(`promise`), at random among all (`random`), or the least confident first.

`evidence`: the fixed bound on 200 test images alone, and with 800 held-out answers beside them.

`planner`: labels planned over labels needed; `within_20_percent` is the share of runs in which that is .8 to 1.2. Known
are the confidences of 1,200 inferences and 1,000 held-out answers. `first`, an audit of accuracy to ± .03: needed is
the number at which audits are so precise on average. `extended`, audits of 100 to the next narrower interval that one
click offers; of drifted images only their own labels are known: needed is the number in all at which this audit,
extended, is so precise on average; `more` compares what is added, and `covered` is the share of intervals, after the
labels planned, that hold the accuracy. For a promise, needed is the lowest number with which 80 of 100 promise audits
of these inferences end with a promise; `enough` is the share of audits that do with the number planned. A difference of
four points, between two models that disagree on twelve of a hundred images, is planned from 1,000 test images, and
needed is the number on which it is found in 80 of 100 comparisons.
"""

import itertools
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np

from benchmarks._population import Population, populations
from scones_core.domain.audit import Estimate, Sample, risk_at
from scones_core.domain.audit_draw import added_probabilities, draw, inclusion_probabilities
from scones_core.domain.comparison import SIGNIFICANT, mcnemar_p_value
from scones_core.domain.confidence import propose_threshold
from scones_core.domain.drift import SimulatedDrift
from scones_core.domain.known_answers import KnownAnswers
from scones_core.domain.planning import PlannedInterval, images_for_difference
from scones_core.domain.promise import SURE, Labels, PlannedAudit, cut_for, evidence, promise, start_for

LEVEL, MAX_RISK = 0.9, 0.05
PERIOD, LABELS, EVERY, HELD_OUT = 1_200, 400, 10, 1_000
HALF_WIDTH, BEGUN = 0.03, 100
EXTENDED = {  # to ± this, which one click offers
    SimulatedDrift.NONE: 0.02,
    SimulatedDrift.DARK: 0.05,
    SimulatedDrift.BLUR: 0.05,
    SimulatedDrift.NOISE: 0.05,
}
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
        "looks": {
            "2% as trained": _looks(calm, 0.02, runs),
            "10% in the dark": _looks(found[SimulatedDrift.DARK], 0.1, runs),
        },
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


def _looks(population: Population, max_risk: float, runs: int) -> dict[str, Any]:
    broken, alone, once = 0, 0, 0
    for seed in range(runs):
        rows = np.random.default_rng(seed).integers(len(population.labels), size=LABELS)
        over_all, each = [], []
        every = np.full(len(population.labels), LABELS / len(population.labels))
        start = start_for(population.confidences, every, max_risk=max_risk, level=LEVEL)
        for count in range(EVERY, LABELS + 1, EVERY):
            labels = _drawn(population, rows[:count])
            made = promise(labels, max_risk=max_risk, level=LEVEL, start=start)
            over_all.append(made is not None and _risk(population, made.threshold) > max_risk)
            peer = propose_threshold(labels.confidences, ~labels.wrong, max_risk=max_risk, level=LEVEL)
            each.append(peer is not None and _risk(population, peer.threshold) > max_risk)
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
    calm = found[SimulatedDrift.NONE]
    return {
        "first": _first_plans(calm, runs),
        "extended": {
            f"{kind}, to {width}": _extension_plans(found[kind], width, runs, drifted=kind is not SimulatedDrift.NONE)
            for kind, width in EXTENDED.items()
        },
        "promise": _promise_plans(calm, runs),
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


def _extended(population: Population, begun: Sample, labels: int, seed: int) -> Sample:
    before, after = (inclusion_probabilities(population.confidences, count) for count in (len(begun.rows), labels))
    added = draw(added_probabilities(before, after, begun.rows), seed)
    rows = np.concatenate([begun.rows, added])
    return Sample(population.confidences, population.predictions, rows, after[rows], population.labels[rows])


def _error_rate(sample: Sample) -> Estimate:
    return cast(Estimate, risk_at(sample, 0.0))


def _fewest(half_width: float, least: int, most: int, audited: Callable[[int, int], Sample], audits: int) -> float:
    """Labels with which the interval is as narrow on average.  audited : from labels and a seed."""
    low, high = least, most
    while low < high:
        middle = (low + high) // 2
        enough = np.mean([_error_rate(audited(middle, seed)).half_width for seed in range(audits)]) <= half_width
        low, high = (low, middle) if enough else (middle + 1, high)
    return float(low)


def _first_plans(population: Population, runs: int) -> dict[str, float]:
    n = len(population.labels)
    needed = _fewest(HALF_WIDTH, 2, n, lambda labels, seed: _audited(population, labels, seed), 200)
    plans = (
        PlannedInterval(population.confidences, _held_out(population, seed)).labels(HALF_WIDTH) for seed in range(runs)
    )
    return _told([float(plan or n) for plan in plans], [needed] * runs)


def _held_out(population: Population, seed: int) -> KnownAnswers:
    rows = np.random.default_rng(seed).integers(len(population.labels), size=HELD_OUT)
    return KnownAnswers.equal(population.confidences[rows], population.correct[rows])


def _extension_plans(population: Population, half_width: float, runs: int, *, drifted: bool) -> dict[str, float]:
    planned, needed, covered = [], [], 0
    for seed in range(runs):
        begun, n = _audited(population, BEGUN, seed), len(population.labels)
        answers = KnownAnswers.of_audit(begun)
        if not drifted:
            answers += _held_out(population, seed)
        plan = PlannedInterval(population.confidences, answers, begun).labels(half_width) or n
        extended = partial(_extended, population, begun)
        planned.append(float(plan))
        needed.append(_fewest(half_width, BEGUN, n, extended, 20))
        low, high = _error_rate(extended(plan, seed)).interval
        covered += low <= 1 - population.correct.mean() <= high
    more = _told(*([max(count - BEGUN, 1.0) for count in counts] for counts in (planned, needed)))
    return {**_told(planned, needed), "more": more["within_20_percent"], "covered": covered / runs}


def _promise_plans(population: Population, runs: int) -> dict[str, float]:
    planned, needed, kept = [], [], []
    for seed in range(runs):
        random = np.random.default_rng(seed)
        period = random.integers(len(population.labels), size=PERIOD)
        rows = random.integers(len(population.labels), size=HELD_OUT)
        known = KnownAnswers.equal(population.confidences[rows], population.correct[rows])
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
