"""Flipped labels among the first 50 suspects, over seeds, beside cleanlab on the same held-out probabilities.

A twentieth of the training labels is flipped. `suspects` is the product's ranking: by the held-out probability of the
label, over four trainings, the last of which learns nothing from the most doubtful images. `once` ranks by the first
training, and `cleanlab` are the first of its `find_label_issues` on that training's answers, which prunes before it
ranks [NOR21].

[NOR21] Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70 (2021).
"""

import hashlib
import sys
from typing import Any

import numpy as np

from benchmarks._images import CLASSES, load
from scones_core.vision.extractor import extractor
from scones_core.vision.features import embedded
from scones_core.vision.fitting import fit
from scones_core.vision.images import decode
from scones_core.vision.label_doubt import second_opinions

SHARE, FIRST = 0.05, 50


def run(runs: int = 10) -> dict[str, Any]:
    """True flips among the first 50: mean and least over the seeds.  Takes three minutes."""

    from cleanlab.filter import find_label_issues

    train = load("train")
    vectors = embedded(extractor(), train.files, [decode(file) for file in train.files])
    known = {hashlib.sha256(file).hexdigest(): v for file, v in zip(train.files, vectors, strict=True)}
    found: dict[str, list[int]] = {"suspects": [], "once": [], "cleanlab": []}
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        labels = np.array(train.labels)
        flipped = rng.choice(len(labels), int(SHARE * len(labels)), replace=False)
        labels[flipped] = 1 - labels[flipped]
        first = fit(train.files, labels.tolist(), CLASSES, seed=seed, known=known)
        p = np.asarray(first.held_out, dtype=float)
        second, _ = second_opinions(train.files, labels.tolist(), CLASSES, p, seed=seed, known=known)
        found["suspects"].append(_hits(_ranked(second, labels), flipped))
        found["once"].append(_hits(_ranked(p, labels), flipped))
        issues = find_label_issues(labels, p, return_indices_ranked_by="self_confidence", n_jobs=1)
        found["cleanlab"].append(_hits(issues, flipped))
        sys.stderr.write(f"seed {seed + 1} of {runs} is done\n")
    figures = {name: {"mean": float(np.mean(hits)), "least": min(hits)} for name, hits in found.items()}
    return {"flipped": int(SHARE * len(train.labels)), "first": FIRST, **figures, "by_chance": FIRST * SHARE}


def _ranked(probabilities: Any, labels: Any) -> Any:
    return np.argsort(probabilities[np.arange(len(labels)), labels], kind="stable")


def _hits(order: Any, flipped: Any) -> int:
    return int(np.isin(order[:FIRST], flipped).sum())
