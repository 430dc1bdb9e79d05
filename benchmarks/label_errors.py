"""Flipped labels among the first 50 suspects, over seeds, beside cleanlab on the same held-out probabilities.

A twentieth of the training labels is flipped; images are ranked by the held-out probability of their label, as page
Data does. `cleanlab` are the first of `find_label_issues`, which prunes before it ranks [NOR21]. `refitted` drops the
first suspects, trains once more, and ranks by what that says.

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

SHARE, FIRST = 0.05, 50


def run(runs: int = 10) -> dict[str, Any]:
    """True flips among the first 50: mean and least over the seeds.  Takes a minute."""

    from cleanlab.filter import find_label_issues

    train = load("train")
    vectors = embedded(extractor(), train.files, [decode(file) for file in train.files])
    known = {hashlib.sha256(file).hexdigest(): v for file, v in zip(train.files, vectors, strict=True)}
    found: dict[str, list[int]] = {"suspects": [], "cleanlab": [], "refitted": []}
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        labels = np.array(train.labels)
        flipped = rng.choice(len(labels), int(SHARE * len(labels)), replace=False)
        labels[flipped] = 1 - labels[flipped]
        p = _held_out(fit(train.files, labels.tolist(), CLASSES, seed=seed, known=known))
        order = np.argsort(p[np.arange(len(labels)), labels], kind="stable")
        found["suspects"].append(_hits(order, flipped))
        issues = find_label_issues(labels, p, return_indices_ranked_by="self_confidence", n_jobs=1)
        found["cleanlab"].append(_hits(issues, flipped))
        weights = np.ones(len(labels))
        weights[order[:FIRST]] = 0
        again = fit(train.files, labels.tolist(), CLASSES, seed=seed, sample_weight=weights.tolist(), known=known)
        q = _held_out(again)
        dropped = weights == 0
        files = [file for file, out in zip(train.files, dropped, strict=True) if out]
        q[dropped] = again.predict_proba(files, known)
        found["refitted"].append(_hits(np.argsort(q[np.arange(len(labels)), labels], kind="stable"), flipped))
        sys.stderr.write(f"seed {seed + 1} of {runs} is done\n")
    figures = {name: {"mean": float(np.mean(hits)), "least": min(hits)} for name, hits in found.items()}
    return {"flipped": int(SHARE * len(train.labels)), "first": FIRST, **figures, "by_chance": FIRST * SHARE}


def _held_out(model: Any) -> Any:
    return model.held_out.astype(float).copy()


def _hits(order: Any, flipped: Any) -> int:
    return int(np.isin(order[:FIRST], flipped).sum())
