"""Labels needed for the accuracy that random review reaches with 400, per strategy, over 10 seeds.

The product's loop, with the known labels for a reviewer who is never wrong. The 1,200 images of the folder are dealt
anew for each seed, into the product's three splits: 400 `test`, 20 `train`, 780 `pool`. A classifier is trained on
`train` and classifies the pool; the product's own queue, on a database in memory, gives the next in the strategy's
order, which move from `pool` to `train`; a new classifier is trained; and so on, up to 500. `fit` is used as
it is. Within a seed all strategies share the first splits.

Accuracy is measured on `test`, which is put aside before anything else: the 200 test images of the folder move in steps
of half a point, too coarse for what is compared here. What is left of the pool would be more, but it is what a strategy
has passed over: the easy ones, if it works.
Nothing is chosen by these figures. The classifier's options were once chosen on the images of `train`, which makes
all accuracies a little too high, whatever the strategy.

Curves are averaged over the seeds and made monotone by centred isotonic regression [ORO17]; where such a curve
crosses that of random review at 400 labels, it is read off. Intervals are 95% percentile bootstraps over whole seeds,
target included. Ten seeds are few for a bootstrap, and they share images: the intervals tell how the figures would
move with other draws from these images, not with other images.

`typical_start` is least confidence from another start: the 20 first labels are those of typical images [HAC22] instead
of random ones. `stopping` is the product's hint along the least confident curve of each seed: where it says stop,
against the best point, the fewest labels after which the mean accuracy stays within half a point of that with 500.

Of two classes, confidence, margin and entropy give the same order, so that these strategies choose the same images.
Images arrive in random order, so that newest first is random review with another draw: what its ratio differs from 1
is chance.

[HAC22] Hacohen, Dekel, Weinshall, "Active learning on a budget: opposite strategies suit high and low budgets",
        ICML 2022.
[ORO17] Oron, Flournoy, "Centered isotonic regression: point and interval estimation for dose–response studies",
        Statistics in Biopharmaceutical Research 9 (2017).
"""

import hashlib
import math
import multiprocessing
import sys
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sklearn.metrics import cohen_kappa_score

from benchmarks._images import CLASSES, Images, load
from scones_core.db import inferences, review_orders, schema
from scones_core.domain.capture import Inference
from scones_core.domain.metrics import accuracy
from scones_core.domain.review import ORDERS, Strategy
from scones_core.services.likeness import unit
from scones_core.services.stopping import JUDGED, LabelStep, StoppingHint
from scones_core.vision.classifier import Classifier
from scones_core.vision.extractor import extractor
from scones_core.vision.features import Known, embedded
from scones_core.vision.fitting import fit
from scones_core.vision.images import decode
from scones_core.vision.typical import typical

SEEDS, TEST, TARGET = 10, 400, 400
LABELS = (20, 30, 40, 50, 60, 80, 100, 150, 200, 250, 300, 350, 400, 450, 500)  # at each training
EARLIER = 0.891  # accuracy of random review with 400 labels, on visual words alone
SAMPLES = 1_000
STRATEGIES: tuple[Strategy, ...] = tuple(
    order for order in ORDERS if order is not Strategy.OLDEST
)  # in this benchmark as the newest
BLIND = {Strategy.RANDOM, Strategy.NEWEST}  # strategies without predictions
START = datetime(2026, 1, 1, tzinfo=UTC)

Floats = npt.NDArray[np.float64]
TYPICAL_START = "typical_start"
Curves = dict[str, Floats]


def run(runs: int = SEEDS) -> dict[str, Any]:
    """Figures per strategy.  Takes ten minutes on two cores.

    target_accuracy : of random review with 400 labels.  `labels_for_earlier` : those needed for EARLIER.
    strategies : `accuracy` and its `accuracy_sd` over the seeds at each of `labels`; `labels_needed` for the target,
    None where 500 do not suffice, and their `ratio` to 400; `gain`, the accuracy at 400 labels minus random review's.
    stopping : `labels` where the hint says stop, per seed (500 if it never does), their mean `ratio` to the best point,
    and the mean `loss` of accuracy against 500 labels.
    """
    load("test")  # report a missing folder before processes start
    begun, found = time.perf_counter(), []
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as processes:
        for seed in processes.map(_curves, range(runs)):
            found.append(seed)
            sys.stderr.write(f"seed {len(found)} of {runs} is done\n")
            sys.stderr.flush()
    seeds = {name: np.array([curves[name] for curves, _ in found]) for name in found[0][0]}
    settings = {"seeds": runs, "test": TEST, "labels": list(LABELS)}
    stopping = _stopping(seeds[Strategy.LEAST_CONFIDENCE], [stop for _, stop in found])
    return {**settings, **_figures(seeds), "stopping": stopping, "seconds": time.perf_counter() - begun}


def _curves(seed: int) -> tuple[dict[str, list[float]], int]:
    """Accuracy after each training, per strategy; and the training after which the hint says stop."""
    loop = _Loop(load("train") + load("test"), seed)
    found = {str(strategy): loop.curve(strategy) for strategy in STRATEGIES}
    stop = loop.stops(Strategy.LEAST_CONFIDENCE)
    loop.start_typical()
    return found | {TYPICAL_START: loop.curve(Strategy.LEAST_CONFIDENCE)}, stop


def _stopping(curves: Floats, stops: Sequence[int]) -> dict[str, Any]:
    """curves : accuracies, (seeds, trainings).  stops : per seed, the training after which the hint says stop."""
    mean = curves.mean(axis=0)
    far = np.flatnonzero(mean < mean[-1] - 0.005)
    best = LABELS[int(far[-1]) + 1 if len(far) else 0]
    labels = [LABELS[stop] for stop in stops]
    loss = float(np.mean([curve[-1] - curve[stop] for curve, stop in zip(curves, stops, strict=True)]))
    return {"labels": labels, "best_point": best, "ratio": float(np.mean(labels)) / best, "loss": loss}


@dataclass(frozen=True)
class _Round:
    """A model in service, trained on some images, while others wait for review."""

    train: Images
    pool: Images
    test: Images
    seed: int
    known: Known

    @cached_property
    def model(self) -> Classifier:
        return fit(self.train.files, self.train.labels, CLASSES, seed=self.seed, known=self.known)

    @cached_property
    def accuracy(self) -> float:
        return accuracy(self.test.labels, self.model.predict_proba(self.test.files, self.known))

    @cached_property
    def probabilities(self) -> Floats:
        """Of the images that wait, (n, 2)."""
        return self.model.predict_proba(self.pool.files, self.known)


class _Loop:
    """Review and retraining from the same start, as often as there are strategies."""

    def __init__(self, images: Images, seed: int) -> None:
        rng = np.random.default_rng(seed)
        n = len(images.files)
        order = rng.permutation(n)
        self._images, self._seed = images, seed
        self._test, self._train, self._pool = np.split(order, [TEST, TEST + LABELS[0]])
        self._ids = [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(n)]
        self._times = [START + timedelta(seconds=int(second)) for second in rng.permutation(n)]
        self._rounds: dict[bytes, _Round] = {}
        vectors = embedded(extractor(), images.files, [decode(file) for file in images.files])
        self._known = {hashlib.sha256(file).hexdigest(): v for file, v in zip(images.files, vectors, strict=True)}
        self._engine = sa.create_engine("sqlite://")
        schema.metadata.create_all(self._engine)

    def curve(self, strategy: Strategy) -> list[float]:
        chosen: list[int] = []
        found = [self._round(chosen).accuracy]
        for labels in LABELS[1:]:
            chosen += self._next(strategy, chosen, labels - LABELS[0] - len(chosen))
            found.append(self._round(chosen).accuracy)
        return found

    def stops(self, strategy: Strategy) -> int:
        """The first training after which the product's hint says stop; the last one if it never does."""
        chosen, steps = list[int](), list[LabelStep]()
        before = self._predictions(chosen)
        for training, labels in enumerate(LABELS[1:], start=1):
            new = self._next(strategy, chosen, labels - LABELS[0] - len(chosen))
            confirmed = self._confirmed(chosen, new[-JUDGED:])
            chosen += new
            after = self._predictions(chosen)
            changed = int((before != after).sum())
            kappa = float(cohen_kappa_score(before, after)) if changed else 1.0
            steps.insert(0, LabelStep("", "", labels, changed, len(after), kappa))
            if StoppingHint("", confirmed, min(len(new), JUDGED), tuple(steps)).stop:
                return training
            before = after
        return len(LABELS) - 1

    def _confirmed(self, chosen: Sequence[int], new: Sequence[int]) -> int:
        """How many of the new labels the model in service had predicted."""
        places = np.searchsorted(self._waiting(chosen), new)
        predicted = self._round(chosen).probabilities[places].argmax(axis=1)
        return int(np.sum(predicted == self._images.take(np.asarray(new)).labels))

    def _predictions(self, chosen: Sequence[int]) -> npt.NDArray[np.int64]:
        one = self._round(chosen)
        return np.asarray(np.argmax(one.model.predict_proba(one.test.files, one.known), axis=1))

    def start_typical(self) -> None:
        """Begin anew with the typical images among those that may be labelled, instead of random ones."""
        every = np.concatenate([self._train, self._pool])
        files = [hashlib.sha256(self._images.files[row]).hexdigest() for row in every]
        vectors = unit(np.stack([self._known[file] for file in files]))
        places = [one.place for one in typical(vectors, vectors[:0], LABELS[0], seed=self._seed)]
        self._train, self._pool = every[places], np.delete(every, places)

    def _round(self, chosen: Sequence[int]) -> _Round:
        """The same images give the same round, however they came to be chosen: what is computed is computed once."""
        train, take = np.sort([*self._train, *chosen]), self._images.take
        new = _Round(take(train), take(self._waiting(chosen)), take(self._test), self._seed, self._known)
        return self._rounds.setdefault(train.tobytes(), new)

    def _waiting(self, chosen: Sequence[int]) -> npt.NDArray[np.int64]:
        return np.setdiff1d(self._pool, chosen)

    def _next(self, strategy: Strategy, chosen: Sequence[int], count: int) -> list[int]:
        """The first so many of the queue, once the model in service has classified what waits."""
        waiting = self._waiting(chosen)
        if strategy is Strategy.RANDOM:  # the database draws anew each time; here each run draws the same
            drawn: list[int] = np.random.default_rng([self._seed, len(chosen)]).permutation(waiting).tolist()
            return drawn[:count]
        nothing = np.full((len(waiting), len(CLASSES)), 1 / len(CLASSES))
        p = nothing if strategy in BLIND else self._round(chosen).probabilities
        rows = [self._captured(row, answer) for row, answer in zip(waiting.tolist(), p.tolist(), strict=True)]
        with self._engine.begin() as connection:
            connection.execute(sa.delete(schema.inferences))
            inferences.add(connection, rows)
            items = review_orders.open_items(connection, strategy=strategy, count=count, reviewer="", now=START)
        return [int(item.row["image_key"]) for item in items]

    def _captured(self, row: int, probabilities: Sequence[float]) -> dict[str, Any]:
        """An inference as the database keeps it; the image's number is its key."""
        digest = hashlib.sha256(self._images.files[row]).hexdigest()
        one = Inference(self._ids[row], self._times[row], digest, "image/png", tuple(probabilities), image_key=str(row))
        figures = {name: getattr(one, name) for name in ("prediction", "confidence", "margin", "entropy")}
        captured = (
            msgspec.structs.asdict(one)
            | figures
            | {"endpoint": "", "variant": "", "capture_key": "", "capture_line": row}
        )
        captured |= {"class_list": None, "attribution": "imported"}
        return {name: captured[name] for name in schema.inferences.columns.keys() & captured.keys()}


def _figures(seeds: Curves) -> dict[str, Any]:
    """`seeds`: accuracies, (seeds, trainings), per strategy."""
    runs = len(seeds[Strategy.RANDOM])
    draws = np.random.default_rng(0).integers(runs, size=(SAMPLES, runs))
    random = seeds[Strategy.RANDOM]
    at_target = random[:, LABELS.index(TARGET)]
    strategies = {}
    for strategy, curves in seeds.items():
        needed = _labels_for(curves, _accuracy_at_target(random))
        drawn = np.array([_labels_for(curves[rows], _accuracy_at_target(random[rows])) for rows in draws])
        gains = curves[:, LABELS.index(TARGET)] - at_target
        strategies[strategy] = {
            "accuracy": curves.mean(axis=0).tolist(),
            "accuracy_sd": curves.std(axis=0, ddof=1).tolist(),
            "labels_for_earlier": _finite(_labels_for(curves, EARLIER)),
            "labels_needed": _finite(needed),
            "labels_needed_interval": _interval(drawn),
            "ratio": _finite(needed / TARGET),
            "ratio_interval": _interval(drawn / TARGET),
            "gain": float(gains.mean()),
            "gain_interval": _interval(gains[draws].mean(axis=1)),
        }
    return {
        "target_accuracy": _accuracy_at_target(random),
        "target_accuracy_interval": _interval(np.array([_accuracy_at_target(random[rows]) for rows in draws])),
        "strategies": strategies,
    }


def _labels_for(curves: Floats, target: float) -> float:
    """Where the mean of `curves` reaches the target; infinite when it does not."""
    centres, levels = _monotone(curves)
    return float(np.interp(target, levels, centres)) if target <= levels[-1] else math.inf


def _accuracy_at_target(random: Floats) -> float:
    return float(np.interp(TARGET, *_monotone(random)))


def _monotone(curves: Floats) -> tuple[Floats, Floats]:
    """Numbers of labels and accuracies, both rising: where isotonic regression is flat, the middle stands [ORO17]."""
    from sklearn.isotonic import IsotonicRegression

    levels, block = np.unique(IsotonicRegression().fit_transform(LABELS, curves.mean(axis=0)), return_inverse=True)
    return np.bincount(block, LABELS) / np.bincount(block), levels


def _interval(drawn: Floats) -> list[float | None]:
    return [_finite(value) for value in np.quantile(drawn, [0.025, 0.975], method="higher")]


def _finite(value: float) -> float | None:
    """As JSON has no infinity."""
    return float(value) if math.isfinite(value) else None
