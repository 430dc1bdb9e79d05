"""Hyperparameters of a training job: parsing from texts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scones_core.errors import BadInput
from scones_core.vision.dictionary import Block
from scones_core.vision.options import ALONE, DEFAULTS, Options

__all__ = ["KNOWN", "Hyperparameters"]

KNOWN = {
    "num_classes": "how many classes",
    "classes": 'their names in class-index order, a JSON list as ["bicycle", "motorcycle"]',
    "image_shape": 'channels, height and width, as "3,32,32"',
    "num_training_samples": "how many images the train channel holds",
    "seed": "a whole number; the same seed and images give the same model",
    "patch_sizes": 'pixels, one per scale, as "4,6"',
    "words": 'visual words, one number for all scales or one per scale, as "64,64"',
    "grids": 'pooling cells along one side, one number for all scales or one per scale, as "3,2"',
    "penalties": 'weights of the penalty that cross-validation chooses from, strongest first, as "0.03,0.003,0.0003"',
    "folds": "of that cross-validation",
    "embedding": 'whether image embeddings are used beside visual words: "on", "off", or "auto", if they can be',
    "augmentation": '"changed-copies", to learn from a darker, noisier or blurred copy of each image too, or "none"',
    "class_weight": '"balanced", so that rare classes weigh as much as frequent ones, or "none"',
}


@dataclass(frozen=True)
class Hyperparameters:
    """Parsed values; None if not given.  side : pixels."""

    classes: tuple[str, ...] | None
    n_classes: int | None
    side: int
    samples: int | None
    seed: int
    options: Options

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> "Hyperparameters":
        """Raises BadInput for an unknown name or an unusable value."""
        unknown = sorted(set(texts) - set(KNOWN))
        if unknown:
            raise BadInput(f"The hyperparameter {unknown[0]} is not known; use some of: {', '.join(sorted(KNOWN))}.")
        samples, n_classes = (_optional(texts, name) for name in ("num_training_samples", "num_classes"))
        return cls(_classes(texts), n_classes, _side(texts), samples, _optional(texts, "seed") or 0, _options(texts))

    def check(self, labels: Sequence[int]) -> None:
        """Raises BadInput if the train channel does not match these hyperparameters."""
        if self.samples is not None and self.samples != len(labels):
            raise BadInput(
                f"num_training_samples says {self.samples}, but the train channel lists {len(labels)} images."
            )
        if self.classes and self.n_classes is not None and self.n_classes != len(self.classes):
            raise BadInput(f"num_classes says {self.n_classes}, but classes has {len(self.classes)} names.")

    def names(self, labels: Sequence[int]) -> tuple[str, ...]:
        """The class names; "0", "1", … if none were given."""
        count = self.n_classes if self.n_classes is not None else max(labels, default=0) + 1
        return self.classes or tuple(str(index) for index in range(count))


def _classes(texts: Mapping[str, str]) -> tuple[str, ...] | None:
    if "classes" not in texts:
        return None
    try:
        names = json.loads(texts["classes"])
    except ValueError:
        raise _unusable("classes", texts) from None
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise _unusable("classes", texts)
    return tuple(names)


def _side(texts: Mapping[str, str]) -> int:
    if "image_shape" not in texts:
        return 32
    shape = _numbers(texts, "image_shape", ())
    if len(shape) != 3 or shape[0] != 3 or shape[1] != shape[2] or shape[1] < 1:
        raise _unusable("image_shape", texts)
    return shape[1]


def _options(texts: Mapping[str, str]) -> Options:
    return Options(
        _blocks(texts),
        _penalties(texts),
        _optional(texts, "folds") or DEFAULTS.folds,
        _one_of(texts, "embedding", {"auto": None, "on": True, "off": False}),
        bool(_one_of(texts, "class_weight", {"none": False, "balanced": True})),
        bool(_one_of(texts, "augmentation", {"none": False, "changed-copies": True})),
    )


def _blocks(texts: Mapping[str, str]) -> tuple[Block, ...] | None:
    """None if no scale is given; what is not said of one is as of visual words alone."""
    if not texts.keys() & {"patch_sizes", "words", "grids"}:
        return None
    sizes = _numbers(texts, "patch_sizes", tuple(block.patch for block in ALONE))
    words = _one_each(texts, "words", tuple(block.words for block in ALONE), len(sizes))
    grids = _one_each(texts, "grids", tuple(block.grid for block in ALONE), len(sizes))
    return tuple(Block(*values) for values in zip(sizes, words, grids, strict=True))


def _one_of(texts: Mapping[str, str], name: str, choices: Mapping[str, bool | None]) -> bool | None:
    """The value of the given choice, or of the first."""
    try:
        return choices[texts.get(name, next(iter(choices)))]
    except KeyError:
        raise _unusable(name, texts) from None


def _penalties(texts: Mapping[str, str]) -> tuple[float, ...]:
    try:
        return (
            tuple(float(part) for part in texts["penalties"].split(",")) if "penalties" in texts else DEFAULTS.penalties
        )
    except ValueError:
        raise _unusable("penalties", texts) from None


def _one_each(texts: Mapping[str, str], name: str, default: tuple[int, ...], count: int) -> tuple[int, ...]:
    values = _numbers(texts, name, default)
    if len(values) == 1:
        return values * count
    if len(values) != count:
        raise BadInput(f"The hyperparameter {name} must have one number, or one for each of the {count} patch sizes.")
    return values


def _numbers(texts: Mapping[str, str], name: str, default: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in texts[name].strip("[]").split(",")) if name in texts else default
    except ValueError:
        raise _unusable(name, texts) from None


def _optional(texts: Mapping[str, str], name: str) -> int | None:
    if name not in texts:
        return None
    try:
        value = int(texts[name])
    except ValueError:
        raise _unusable(name, texts) from None
    if value < 0:
        raise _unusable(name, texts)
    return value


def _unusable(name: str, texts: Mapping[str, str]) -> BadInput:
    return BadInput(f"The hyperparameter {name} cannot be {texts[name]!r}; give {KNOWN[name]}.")
