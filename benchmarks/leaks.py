"""Cross-validation on bursts: 200 training images, each in five copies that are shifted, mirrored, relit and re-saved.

`held_out_together` is the product's: copies are found and held out together. `each_by_itself`, its peer, is the same
training under scikit-learn's stratified folds, which know of no copies. Each `says` an accuracy; `truth` is that of the
product's model on the training images that neither has seen, and `too_high_by` the difference. The training's
temperature is above 1 where confidences must come down; learnt from leaking folds it would not.

`alone` is how many of the training images as they are count as near-duplicates.
"""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks._images import CLASSES, Images, load
from scones_core.vision.fitting import fit
from scones_core.vision.images import decode

BURSTS, COPIES, FOLDS = 200, 5, 5


def run(runs: int = 5) -> dict[str, Any]:
    """Takes about two minutes."""
    train = load("train")
    found = [_one(train, seed) for seed in range(runs)]
    mean = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    whole = fit(train.files, train.labels, CLASSES).training
    return {
        "runs": runs,
        "images": BURSTS * COPIES,
        "truth": mean["truth"],
        "held_out_together": {
            "says": mean["together"],
            "too_high_by": mean["together"] - mean["truth"],
            "temperature": mean["temperature"],
            "copies_found": mean["copies_found"],
        },
        "each_by_itself": {"says": mean["itself"], "too_high_by": mean["itself"] - mean["truth"]},
        "alone": {"images": len(train.files), "near_duplicates": whole["near_duplicates"]["images"]},
    }


def _one(train: Images, seed: int) -> dict[str, float]:
    from sklearn.model_selection import StratifiedKFold

    order = np.random.default_rng(seed).permutation(len(train.files))
    chosen, unseen = train.take(order[:BURSTS]), train.take(order[BURSTS:])
    files = [_copy(file, seed * 10_000 + COPIES * i + k) for i, file in enumerate(chosen.files) for k in range(COPIES)]
    burst = Images(files, np.repeat(chosen.labels, COPIES).tolist())
    model = fit(burst.files, burst.labels, CLASSES, seed=seed)
    labels, right = np.array(burst.labels), []
    for rest, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels):
        part, others = burst.take(rest), burst.take(held_out)
        answers = fit(part.files, part.labels, CLASSES, seed=seed).predict_proba(others.files).argmax(axis=1)
        right += (answers == np.array(others.labels)).tolist()
    return {
        "truth": float((model.predict_proba(unseen.files).argmax(axis=1) == np.array(unseen.labels)).mean()),
        "together": model.training["cross_validated"]["accuracy"],
        "itself": float(np.mean(right)),
        "temperature": model.temperature,
        "copies_found": model.training["near_duplicates"]["images"] / len(files),
    }


def _copy(data: bytes, seed: int) -> bytes:
    random, picture = np.random.default_rng(seed), decode(data)
    if random.random() < 0.5:
        picture = ImageOps.mirror(picture)
    shift = random.integers(-2, 3, 2).tolist()
    moved = np.roll(np.asarray(ImageOps.expand(picture, 2, 0)), shift, axis=(0, 1))[2:-2, 2:-2]
    lit = ImageEnhance.Brightness(Image.fromarray(moved)).enhance(float(random.uniform(0.85, 1.15)))
    written = io.BytesIO()
    lit.save(written, "JPEG", quality=int(random.integers(70, 96)))
    return written.getvalue()
