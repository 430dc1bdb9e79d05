"""How often two equally good models are called different, and a promised threshold is broken, by number of reviews.

Two ways in the same run. `sealed`, the product's: images are reviewed in the pool, and test images never are.
`earlier`, its peer: what is reviewed comes out of the test split, the champion's least confident images first, and both
models are measured on the rest.

Each run draws 200 test images, with replacement, from a population of which all labels and both models' answers are
known; neither model was trained on any of it. Every image is in the population twice, with the two models' answers in
either order: the two are equally good, exactly. `better` and `worse` are the shares of runs in which the challenger is
called so; each may be called in 2.5 of 100. A promise is the threshold that `propose_threshold` gives for at most 8%
errors among the accepted, with 95% confidence, on the champion's answers to the test images; `broken` is the share of
all runs in which one is proposed and more than 8% of what it accepts of the whole population are wrong, `proposed` the
share in which there is one. `shown_minus_true` is the champion's accuracy on the test images less that on the
population, on average.

`disjoint`: two models that share no image. All 1,200 images are cut into five folds; of the other four fifths one model
is trained on one half, the other on the other; they answer for the fold. No model is trained on reviews here, so that
`sealed` is the same after any number of them.

`retrained`: the loop itself, 24 times. 200 training images, 200 of the pool, and the other 800 are the population. The
champion is trained on the 200; its least confident images of the pool are reviewed, by someone who is never wrong; a
challenger is trained on both, with another seed. Every run belongs to one of these loops. In `earlier` as many test
images leave as were reviewed, but the challenger is the same one, which has learnt from the pool.

`as_they_are`: these pairs in their own order, so that the challenger is better by `true_difference`, on average, having
learnt more; `contrary` is the share of runs whose verdict is the opposite of the truth.

`standard_error` is the simulation's own, of a rate at its nominal level; it says nothing of other images.
"""

import multiprocessing
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from benchmarks._images import CLASSES, Images, load
from scones_core.domain.comparison import SIGNIFICANT, Verdict, compare
from scones_core.domain.confidence import figures_at, propose_threshold
from scones_core.vision.classifier import Classifier
from scones_core.vision.fitting import fit

REVIEWS = (0, 20, 40, 80)
TRAIN, POOL, TEST = 200, 200, 200
FOLDS, LOOPS = 5, 24
MAX_RISK, LEVEL = 0.08, 0.95
NOMINAL = {"better": SIGNIFICANT / 2, "worse": SIGNIFICANT / 2, "broken": round(1 - LEVEL, 6)}

T = TypeVar("T")
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """Labels, (n,), and both models' probabilities, (n, 2), of a population."""

    labels: Rows
    champion: Floats
    challenger: Floats

    @property
    def in_either_order(self) -> "Pair":
        """Each image twice: equally good models."""
        both = np.concatenate([self.champion, self.challenger]), np.concatenate([self.challenger, self.champion])
        return Pair(np.tile(self.labels, 2), *both)

    def take(self, rows: Rows) -> "Pair":
        return Pair(self.labels[rows], self.champion[rows], self.challenger[rows])

    @property
    def confidences(self) -> Floats:
        """Of the champion."""
        return np.asarray(self.champion.max(axis=1))

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """Of the champion."""
        return np.asarray(self.champion.argmax(axis=1) == self.labels)

    @property
    def difference(self) -> float:
        return float(np.mean(self.challenger.argmax(axis=1) == self.labels) - self.correct.mean())


Pairs = Mapping[int, Sequence[Pair]]  # numbers of reviews


def run(runs: int = 1000) -> dict[str, Any]:
    """Figures of both ways.  Takes about six minutes on two cores, most of it for training the models."""
    load("test")  # report a missing folder before processes start
    begun = time.perf_counter()
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as processes:
        folds = processes.map(_fold, range(FOLDS))
        loops = processes.map(_loop, range(LOOPS))
        disjoint = _joined(_told(folds, FOLDS, "fold"))
        found = list(_told(loops, LOOPS, "loop"))
    retrained = {count: [loop[count] for loop in found] for count in REVIEWS}
    errors = {name: float(np.sqrt(level * (1 - level) / runs)) for name, level in NOMINAL.items()}
    return {
        "runs": runs,
        "nominal": NOMINAL,
        "standard_error": errors,
        "disjoint": _equally_good({count: [disjoint] for count in REVIEWS}, runs),
        "retrained": _equally_good(retrained, runs),
        "as_they_are": _as_they_are(retrained, runs),
        "seconds": time.perf_counter() - begun,
    }


def _told(found: Iterator[T], count: int, name: str) -> Iterator[T]:
    for number, one in enumerate(found, 1):
        sys.stderr.write(f"{name} {number} of {count} is done\n")
        sys.stderr.flush()
        yield one


def _fold(number: int) -> Pair:
    """The answers to a fold of two models that share no image."""
    images = load("train") + load("test")
    folds = np.array_split(np.random.default_rng(0).permutation(len(images.files)), FOLDS)
    unseen = images.take(folds.pop(number))
    halves = np.array_split(np.random.default_rng(number).permutation(np.concatenate(folds)), 2)
    models = [_fitted(images.take(half), seed=0) for half in halves]
    return Pair(np.array(unseen.labels), *(model.predict_proba(unseen.files) for model in models))


def _joined(pairs: Iterable[Pair]) -> Pair:
    parts = list(pairs)
    return Pair(*(np.concatenate([getattr(one, name) for one in parts]) for name in Pair.__dataclass_fields__))


def _loop(seed: int) -> dict[int, Pair]:
    """Champion and challenger after so many reviews of the pool; the population is what neither was trained on."""
    images = load("train") + load("test")
    train, pool, rest = np.split(np.random.default_rng(seed).permutation(len(images.files)), [TRAIN, TRAIN + POOL])
    unseen = images.take(rest)
    champion = _fitted(images.take(train), seed=0)
    least_confident = pool[np.argsort(champion.predict_proba(images.take(pool).files).max(axis=1), kind="stable")]
    answers, found = champion.predict_proba(unseen.files), {}
    for count in REVIEWS:
        challenger = _fitted(images.take(np.concatenate([train, least_confident[:count]])), seed=1)
        found[count] = Pair(np.array(unseen.labels), answers, challenger.predict_proba(unseen.files))
    return found


def _fitted(images: Images, *, seed: int) -> Classifier:
    return fit(images.files, images.labels, CLASSES, seed=seed)


@dataclass(frozen=True)
class _Run:
    verdict: Verdict
    proposed: bool
    broken: bool
    shown_minus_true: float
    contrary: bool


def _equally_good(pairs: Pairs, runs: int) -> dict[str, Any]:
    equal = {count: [pair.in_either_order for pair in some] for count, some in pairs.items()}
    return _both_ways(equal, runs, ("better", "worse", "proposed", "broken", "shown_minus_true"))


def _as_they_are(pairs: Pairs, runs: int) -> dict[str, Any]:
    found = _both_ways(pairs, runs, ("better", "worse", "contrary", "broken", "shown_minus_true"))
    true = {str(count): float(np.mean([pair.difference for pair in some])) for count, some in pairs.items()}
    return {"true_difference": true, **found}


def _both_ways(pairs: Pairs, runs: int, names: Sequence[str]) -> dict[str, Any]:
    """The named figures of `sealed` and `earlier` after each number of reviews; all share their draws."""
    ways: dict[str, dict[str, Any]] = {"sealed": {}, "earlier": {}}
    for count, some in pairs.items():
        found = [_run(some[number % len(some)], count, number) for number in range(runs)]
        for way, results in zip(ways.values(), zip(*found, strict=True), strict=True):
            way[str(count)] = {name: _mean(results, name) for name in names}
    return ways


def _mean(results: Sequence[_Run], name: str) -> float:
    if name in ("better", "worse"):
        return float(np.mean([one.verdict is Verdict(name) for one in results]))
    return float(np.mean([getattr(one, name) for one in results]))


def _run(population: Pair, reviews: int, seed: int) -> tuple[_Run, _Run]:
    """One draw of test images: measured on all, and without the champion's least confident ones."""
    test = np.random.default_rng(seed).integers(len(population.labels), size=TEST)
    left = test[np.argsort(population.confidences[test], kind="stable")][reviews:]
    return _measured(population, test), _measured(population, left)


def _measured(population: Pair, rows: Rows) -> _Run:
    test, truth = population.take(rows), population.difference
    first, second = (p.argmax(axis=1).tolist() for p in (test.champion, test.challenger))
    verdict = compare(test.labels.tolist(), first, second).verdict
    promise = propose_threshold(test.confidences, test.correct, max_risk=MAX_RISK, level=LEVEL)
    risk = promise and figures_at(promise.threshold, population.confidences, population.correct, LEVEL).risk
    return _Run(
        verdict=verdict,
        proposed=promise is not None,
        broken=(risk or 0) > MAX_RISK,
        shown_minus_true=float(test.correct.mean() - population.correct.mean()),
        contrary=verdict is (Verdict.BETTER if truth < 0 else Verdict.WORSE if truth > 0 else None),
    )
