"""Options and progress reporting of a training run."""

from collections.abc import Callable
from dataclasses import dataclass

from scones_core.errors import BadInput
from scones_core.vision.dictionary import Block

__all__ = ["DEFAULTS", "Observer", "Options"]

MOST_CLASSES = 1000
LARGEST_SIDE = 256
MOST_WORDS = 2_000
ALONE = (Block(patch=4, words=64, grid=3), Block(patch=6, words=128, grid=2))
BESIDE_EMBEDDING = (Block(patch=6, words=64, grid=2),)


@dataclass(frozen=True)
class Options:
    """Hyperparameters; the defaults were chosen by cross-validation on 1,000 training images of two classes.

    blocks : the scales of visual words; None: those of `scales`.
    penalties : weights of the squared-weights penalty, strongest first; cross-validation picks one.
    folds : of that cross-validation, whose held-out scores also set the temperature.
    embedding : whether to use image embeddings beside visual words; None: if the extractor is there.
    changed_copies : whether to learn from a darker, noisier or blurred copy of each image as well.
    balanced : whether the images of each class weigh as much together as those of any other.
    """

    blocks: tuple[Block, ...] | None = None
    penalties: tuple[float, ...] = (0.03, 0.003, 0.0003)
    folds: int = 5
    embedding: bool | None = None
    balanced: bool = False
    changed_copies: bool = False

    def scales(self, *, embedding: bool) -> tuple[Block, ...]:
        """The scales of visual words; beside an embedding fewer tell as much."""
        return (BESIDE_EMBEDDING if embedding else ALONE) if self.blocks is None else self.blocks

    def check(self, side: int) -> None:
        """Raises BadInput if images of `side` × `side` pixels cannot be trained on this way."""
        blocks = self.scales(embedding=False)
        largest = max((block.patch + block.grid for block in blocks), default=1)
        if not largest <= side <= LARGEST_SIDE:
            raise BadInput(
                f"Images of {side} × {side} pixels do not fit; give a side from {largest} to {LARGEST_SIDE}."
            )
        if not blocks or min(min(b.patch, b.words, b.grid) for b in blocks) < 1 or self.folds < 2:
            raise BadInput("Patch sizes, words and grids must be at least 1, and folds at least 2.")
        if max(block.words for block in blocks) > MOST_WORDS:
            raise BadInput(f"A scale can have {MOST_WORDS} visual words at most.")
        if not self.penalties or min(self.penalties) <= 0:
            raise BadInput("The penalties must be positive numbers.")


@dataclass(frozen=True)
class Observer:
    """Receives progress while a classifier trains: `progress(sentence)` and `metric(name, value)`."""

    progress: Callable[[str], None] = lambda sentence: None
    metric: Callable[[str, float], None] = lambda name, value: None


DEFAULTS = Options()
