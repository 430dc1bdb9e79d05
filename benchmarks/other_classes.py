"""Twelve small classes, and images that show none of the model's classes.

Beside the folder of bicycles and motorcycles lies `other_classes/{train,test}/<class>/`, with some images of ten other
classes. `twelve_classes`: a classifier of all twelve, with at most as many bicycles and motorcycles as SMALL, on the
test images, with and without class weights; the peer is the same on visual words. `strangers`: the share of the ten
classes' images that the classifier of the two accepts at .93, and that are marked as unlike its training images; of
its own test images, the marked ones are false alarms. Nothing is chosen by these figures.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._images import CLASSES, DATA, Images, load
from scones_core.domain.metrics import evaluate
from scones_core.errors import BadInput
from scones_core.services.likeness import level_of, similarity, unit
from scones_core.vision.extractor import Embeddings, extractor
from scones_core.vision.features import embedded
from scones_core.vision.fitting import fit
from scones_core.vision.images import decode
from scones_core.vision.options import Options

SMALL = {"train": 16, "test": 10}  # images of either vehicle
THRESHOLD = 0.93


def run() -> dict[str, Any]:
    """Takes half a minute."""
    folder = Path(os.environ.get("SCONES_DATA", DATA)).parent / "other_classes"
    if not folder.is_dir():
        raise BadInput(f"This benchmark needs a folder {folder.name}/ with train/ and test/ beside that of --data.")
    others = sorted(path.name for path in (folder / "train").iterdir())
    small = {split: _others(folder / split, others) + _few(split, len(others)) for split in SMALL}
    twelve = {
        "default": _twelve(small, len(others), Options()),
        "balanced": _twelve(small, len(others), Options(balanced=True)),
        "visual_words": _twelve(small, len(others), Options(embedding=False)),
    }
    ratio = twelve["default"]["accuracy"] / twelve["visual_words"]["accuracy"]
    return {
        "twelve_classes": {"train": np.bincount(small["train"].labels).tolist(), "test": len(small["test"].labels)}
        | twelve,
        "strangers": _strangers(_others(folder / "train", others) + _others(folder / "test", others)),
        "ratios": {"accuracy_of_visual_words": ratio},
    }


def _others(folder: Path, names: list[str]) -> Images:
    paths = [(path, label) for label, name in enumerate(names) for path in sorted((folder / name).iterdir())]
    return Images([path.read_bytes() for path, _ in paths], [label for _, label in paths])


def _few(split: str, first: int) -> Images:
    """Some bicycles and motorcycles, with labels from `first` on."""
    every = load(split)
    rows = np.concatenate([np.flatnonzero(np.equal(every.labels, label))[: SMALL[split]] for label in (0, 1)])
    found = every.take(rows)
    return Images(found.files, [first + label for label in found.labels])


def _twelve(small: dict[str, Images], others: int, options: Options) -> dict[str, Any]:
    train, test = small["train"], small["test"]
    names = [*map(str, range(others)), *CLASSES]
    model = fit(train.files, train.labels, names, options=options)
    found = evaluate(test.labels, model.predict_proba(test.files)).as_dict()
    return {name: found[name] for name in ("accuracy", "balanced_accuracy", "log_loss")}


def _strangers(strangers: Images) -> dict[str, Any]:
    train, test = load("train"), load("test")
    reference = unit(_vectors(train))
    level = level_of(reference)
    unlike = similarity(_vectors(strangers), reference) < level
    accepted = fit(train.files, train.labels, CLASSES).predict_proba(strangers.files).max(axis=1) > THRESHOLD
    return {
        "images": len(strangers.files),
        "accepted": float(accepted.mean()),
        "marked": float(unlike.mean()),
        "accepted_and_not_marked": float((accepted & ~unlike).mean()),
        "false_alarms": float((similarity(_vectors(test), reference) < level).mean()),
    }


def _vectors(images: Images) -> Embeddings:
    return np.asarray(embedded(extractor(), images.files, [decode(file) for file in images.files]), np.float16)
