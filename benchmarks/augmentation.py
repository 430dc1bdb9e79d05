"""Training with changed copies against training without, on images as they are, darker, noisier and blurred.

Accuracy, log loss and mean confidence of held-out images, by cross-validation on the training images; the changes are
not those that the copies are made with.
"""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from benchmarks._images import CLASSES, load
from scones_core.domain.metrics import evaluate
from scones_core.vision.fitting import fit
from scones_core.vision.images import decode
from scones_core.vision.options import Options

FOLDS = 5


def run() -> dict[str, Any]:
    """Takes two minutes."""
    from sklearn.model_selection import StratifiedKFold

    train = load("train")
    labels = np.array(train.labels)
    answers: dict[tuple[bool, str], Any] = {}
    for rest, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(labels, labels):
        part, unseen = train.take(rest), train.take(held_out)
        for copies in (False, True):
            model = fit(part.files, part.labels, CLASSES, options=Options(changed_copies=copies))
            for name, change in CHANGES.items():
                p = answers.setdefault((copies, name), np.zeros((len(labels), len(CLASSES))))
                p[held_out] = model.predict_proba(
                    [change(file, i) for i, file in zip(held_out, unseen.files, strict=True)]
                )
    return {
        ("changed_copies" if copies else "none"): {name: _figures(labels, answers[copies, name]) for name in CHANGES}
        for copies in (False, True)
    }


def _figures(labels: Any, p: Any) -> dict[str, float]:
    found = evaluate(labels, p)
    return {"accuracy": found.accuracy, "log_loss": found.log_loss, "mean_confidence": float(p.max(axis=1).mean())}


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _noisy(data: bytes, seed: int) -> bytes:
    values = np.asarray(decode(data), dtype=np.float64)
    noisy = values + np.random.default_rng(seed).normal(0, 25, values.shape)
    return _png(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)))


CHANGES: dict[str, Callable[[bytes, int], bytes]] = {
    "as_they_are": lambda data, _seed: data,
    "dark": lambda data, _seed: _png(ImageEnhance.Brightness(decode(data)).enhance(0.4)),
    "noise": _noisy,
    "blur": lambda data, _seed: _png(decode(data).filter(ImageFilter.GaussianBlur(1.2))),
}
