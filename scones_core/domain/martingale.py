"""Drift of a stream of inferences from the model's own test images, watched without an end.

Each statistic of an inference gets a conformal p-value: its rank among the test images and the inferences before it.
Without drift these are independent and uniform, whatever the statistic. A martingale bets that they are not; its
wealth, the evidence, exceeds 1 / a with probability a at most, at any time. One bets on each statistic, and an alarm
needs K / 5% of any of the K: the probability of ever alarming without drift is 5% at most, however often one looks.
The mean of the K wealths would alarm a few inferences earlier, but is a martingale only where the statistics are
independent of each other.

References
----------
[VOV21] Vovk, Petej, Nouretdinov, Ahlberg, Carlsson, Gammerman, "Retrain or not retrain: conformal test martingales for
        change-point detection", PMLR 152 (2021) (the simple jumper, its rate of .01, Ville's inequality).
[VOV05] Vovk, Gammerman, Shafer, "Algorithmic learning in a random world", Springer 2005, ch. 7 (smoothed p-values).
[SHI63] Shiryaev, "On optimum methods in quickest detection problems", Theory Prob. Appl. 8 (1963) (when it began).
"""

import io
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Watched(StrEnum):
    """Statistics of an inference, in the order of the columns of an observation."""

    CONFIDENCE = "confidence"
    CLASS = "class"
    BRIGHTNESS = "brightness"
    CONTRAST = "contrast"
    EDGES = "edges"
    COLOUR = "colour"


LEVEL = 0.05  # probability of ever alarming without drift
ALARM = len(Watched) / LEVEL  # evidence of one statistic that raises an alarm
JUMP = 0.01  # rate at which wealth moves between the bets
BETS = np.array([-1.0, 0.0, 1.0])  # on low p-values, on none, on high ones
FEWEST = 20  # test images to compare with
BAG = 2_000  # observations compared with: once full, a random one leaves for each new one
REMEMBERED = 1_000  # p-values kept to tell when a drift began
TIES = np.array([1e-9, 1, 1e-9, 1e-9, 1e-9, 1e-9])  # equal values are ranked at random; classes are whole numbers
POWERS = np.array([1.5, 2.0, 4.0, 8.0, 16.0])  # b of the densities b (1 - p)^(b - 1) of p-values after a change


@dataclass(frozen=True)
class DriftWatch:
    """State after `count` observations of each of `streams` streams, which are watched alike and apart.

    bag : what is compared with, (streams, K, size).  wealth : by bet, (streams, K, 3).
    p_values : the last ones, (streams, K, up to 1,000).  peak : largest evidence so far, (streams, K).
    """

    seed: int
    count: int
    bag: Floats
    wealth: Floats
    p_values: Floats
    peak: Floats = field(repr=False)

    @property
    def evidence(self) -> Floats:
        """Wealth of each statistic's martingale, (streams, K); 1 at the start."""
        return np.asarray(self.wealth.sum(axis=2))

    @property
    def alarm(self) -> NDArray[np.bool_]:
        """Whether any statistic's evidence has ever been enough, (streams,)."""
        return np.asarray((self.peak >= ALARM).any(axis=1))

    def to_bytes(self) -> bytes:
        """The state; `from_bytes` continues from it as if there had been no pause."""
        buffer = io.BytesIO()
        arrays = {"bag": self.bag, "wealth": self.wealth, "p_values": self.p_values, "peak": self.peak}
        np.savez(buffer, at=np.array([self.seed, self.count]), **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "DriftWatch":
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            seed, count = (int(number) for number in file["at"])
            return cls(seed, count, *(file[name] for name in ("bag", "wealth", "p_values", "peak")))


def begin(reference: Floats, *, seed: int = 0) -> DriftWatch:
    """A watch that compares with the model's test images, (n, K), or (streams, n, K) for several streams.

    Raises ValueError for fewer than 20 of them.
    """
    streams = reference[None] if reference.ndim == 2 else reference
    if streams.shape[1] < FEWEST:
        raise ValueError(f"{streams.shape[1]} test images are too few to compare with: give {FEWEST} or more")
    random = np.random.default_rng(seed)
    bag = streams.transpose(0, 2, 1) + TIES[:, None] * random.random((len(streams), len(TIES), streams.shape[1]))
    if bag.shape[2] > BAG:
        bag = bag[:, :, np.sort(random.permutation(bag.shape[2])[:BAG])]
    wealth = np.full((*bag.shape[:2], len(BETS)), 1 / len(BETS))
    return DriftWatch(seed, 0, bag, wealth, np.empty((*bag.shape[:2], 0)), np.ones(bag.shape[:2]))


def observe(watch: DriftWatch, values: Floats) -> DriftWatch:
    """The watch after further observations, in their order: (n, K), or (streams, n, K) for several streams."""
    streams = values[None] if values.ndim == 2 else values
    bag, wealth, peak, found = watch.bag, watch.wealth, watch.peak, []
    size = bag.shape[2]
    room = np.empty((*bag.shape[:2], min(BAG, size + streams.shape[1])))
    room[:, :, :size] = bag
    for step in range(streams.shape[1]):
        random = np.random.default_rng([watch.seed, watch.count + step])
        ties, smooth = random.random((2, len(streams), len(TIES)))
        new = streams[:, step] + TIES * ties
        p = (np.count_nonzero(room[:, :, :size] < new[:, :, None], axis=2) + smooth) / (size + 1)
        wealth = jump(wealth, p)
        peak = np.maximum(peak, wealth.sum(axis=2))
        found.append(p)
        if size < BAG:
            room[:, :, size] = new
            size += 1
        else:  # whoever leaves is drawn among all, so that the ranks stay exchangeable
            leaves = random.integers(BAG + 1, size=len(streams))
            stays = np.flatnonzero(leaves < BAG)
            room[stays, :, leaves[stays]] = new[stays]
    p_values = np.concatenate([watch.p_values, np.stack(found, axis=2)], axis=2) if found else watch.p_values
    count = watch.count + streams.shape[1]
    return replace(
        watch, count=count, bag=room[:, :, :size], wealth=wealth, peak=peak, p_values=p_values[:, :, -REMEMBERED:]
    )


def jump(wealth: Floats, p_values: Floats) -> Floats:
    """Wealth by bet, (…, 3), after a p-value, (…).  Source: [VOV21], algorithm 1, the simple jumper."""
    mixed = (1 - JUMP) * wealth + JUMP / len(BETS) * wealth.sum(axis=-1, keepdims=True)
    return np.asarray(mixed * (1 + BETS * (p_values[..., None] - 0.5)))


@dataclass(frozen=True)
class Change:
    """A statistic that changed. higher : it has risen.  evidence : the largest so far."""

    statistic: Watched
    higher: bool
    evidence: float


def changes(watch: DriftWatch) -> list[Change]:
    """What changed in the first stream, the strongest evidence first: all beyond 1 / 5%, if any raises the alarm."""
    if not watch.alarm[0]:
        return []
    peak, wealth = watch.peak[0], watch.wealth[0]
    found = [
        Change(name, bool(wealth[k, 2] > wealth[k, 0]), float(peak[k]))
        for k, name in enumerate(Watched)
        if peak[k] >= 1 / LEVEL
    ]
    return sorted(found, key=lambda change: -change.evidence)


def began(watch: DriftWatch, *, level: float = 0.95) -> tuple[int, int, int]:
    """(likeliest, first, last) number of the observation, from 0, with which the drift of the first stream began.

    first and last bound the posterior of a change at an unknown time, any of the last 1,000 observations alike, from
    uniform p-values to ones near 0 (or 1), how near being unknown too, of the statistic with the most evidence.
    Source: [SHI63].
    """
    strongest = int(watch.peak[0].argmax())
    p = watch.p_values[0, strongest]
    if watch.wealth[0, strongest, 2] > watch.wealth[0, strongest, 0]:
        p = 1 - p
    gain = np.log(POWERS)[:, None] + (POWERS[:, None] - 1) * np.log(np.maximum(1 - p, 1e-9))
    after = np.cumsum(gain[:, ::-1], axis=1)[:, ::-1]  # log-likelihood ratio of a change with each observation
    posterior = np.exp(after - after.max()).sum(axis=0)
    share = np.cumsum(posterior / posterior.sum())
    first, last = np.searchsorted(share, [(1 - level) / 2, (1 + level) / 2])
    offset = watch.count - len(p)
    return offset + int(posterior.argmax()), offset + int(first), offset + min(int(last), len(p) - 1)
