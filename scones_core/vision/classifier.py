"""An image classifier for small datasets: visual words, an embedding, kernel logistic regression, calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scones_core.errors import BadInput, Damaged
from scones_core.vision import artifact
from scones_core.vision.artifact import pack
from scones_core.vision.dictionary import Block, Dictionary
from scones_core.vision.extractor import Extractor, extractor
from scones_core.vision.features import NOTHING_KNOWN, Encoder, Known
from scones_core.vision.kernel import Kernel
from scones_core.vision.options import Options
from scones_core.vision.parallel import one_blas_thread
from scones_core.vision.softmax import Linear, softmax

__all__ = ["Classifier", "pack"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

FORMAT = 3
READABLE = (2, FORMAT)  # 2: of visual words alone
MISFITS = (BadInput, KeyError, TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError, MemoryError)


@dataclass(frozen=True)
class Classifier:
    """A trained classifier; immutable, and safe to share among threads.

    kernel, linear : from features to similarities, and from these to one score per class.
    temperature : divisor of the scores before the softmax; above 1 it lowers confidences.
    training : facts of the training run, JSON values; `cross_validated` holds metrics of held-out images.
    held_out : calibrated probabilities of each training image by a model that did not learn from it nor from its
        near-duplicates, (images, n_classes), in the order of the train channel; not a number where it had no weight.
    """

    classes: tuple[str, ...]
    encoder: Encoder
    kernel: Kernel
    linear: Linear
    temperature: float
    training: Mapping[str, Any] = field(default_factory=dict)
    held_out: Floats | None = None

    def predict_proba(self, images: Sequence[bytes], known: Known = NOTHING_KNOWN) -> Doubles:
        """Calibrated probabilities, float64, shape (n, n_classes), rows summing to 1.

        known : embeddings computed before, by SHA-256 of the image file.
        Raises BadImage; for several images, the message names the position.
        """
        one_blas_thread()
        scores = [self._scores(features) for features in self.encoder.features(images, known)]
        if not scores:
            return np.zeros((0, len(self.classes)))
        return softmax(np.concatenate(scores) / self.temperature)

    def save(self) -> bytes:
        """`model.tar.gz`; the same model gives the same bytes."""
        return artifact.pack_files(self._files())

    def save_to(self, folder: Path) -> None:
        """Write the artifact's files into `folder`; `pack(folder)` then equals `save()`."""
        artifact.write(self._files(), folder)

    @classmethod
    def load(cls, data: bytes, sha256: str | None = None) -> "Classifier":
        """Read `model.tar.gz`.

        sha256 : the recorded checksum, hexadecimal; checked before anything is read.  Raises Damaged.
        """
        document, arrays = artifact.parse(artifact.unpack(data, sha256))
        try:
            model = cls._from(document, arrays)
            model._scores(np.zeros((1, model.encoder.width), np.float32))
        except MISFITS as error:
            raise Damaged("The model artifact does not fit this product's version; train the model again.") from error
        return model

    def _scores(self, features: Floats) -> Doubles:
        return self.linear.scores(self.kernel.similarity(features))

    def _files(self) -> dict[str, bytes]:
        encoder = self.encoder
        document = {
            "format": FORMAT,
            "classes": list(self.classes),
            "side": encoder.side,
            "blocks": [asdict(dictionary.block) for dictionary in encoder.dictionaries],
            "extractor": encoder.extractor.digest if encoder.extractor else None,
            "temperature": self.temperature,
            "training": dict(self.training),
        }
        arrays: dict[str, npt.NDArray[Any]] = {"weights": self.linear.weights, "bias": self.linear.bias}
        arrays |= {"centre": self.kernel.centre, "scale": self.kernel.scale}
        arrays["landmarks"] = self.kernel.landmarks.astype(np.float16)
        if self.held_out is not None:
            arrays[artifact.HELD_OUT] = self.held_out
        for i, dictionary in enumerate(encoder.dictionaries):
            arrays[f"filters_{i}"], arrays[f"offsets_{i}"] = dictionary.filters, dictionary.offsets
        return artifact.files(document, arrays)

    @classmethod
    def _from(cls, document: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> "Classifier":
        if document["format"] not in READABLE:
            raise ValueError("another format")
        dictionaries = tuple(
            Dictionary(Block(**block), _floats(arrays[f"filters_{i}"]), _floats(arrays[f"offsets_{i}"]))
            for i, block in enumerate(document["blocks"])
        )
        linear = Linear(_floats(arrays["weights"]), _floats(arrays["bias"]))
        Options(tuple(dictionary.block for dictionary in dictionaries)).check(int(document["side"]))
        kernel = Kernel(*(_floats(arrays[name]) for name in ("centre", "scale", "landmarks")))
        classes = tuple(str(name) for name in document["classes"])
        temperature, training = float(document["temperature"]), dict(document["training"])
        wanted = document.get("extractor")
        encoder = Encoder(int(document["side"]), dictionaries, _extractor(wanted) if wanted else None)
        if linear.bias.shape != (len(classes),) or not 0 < temperature < np.inf or not (kernel.scale > 0).all():
            raise ValueError("classes, bias, scale or temperature do not fit")
        return cls(classes, encoder, kernel, linear, temperature, training)


def _extractor(digest: str) -> Extractor:
    """Raises Unavailable if there is none, ValueError if it is another one."""
    found = extractor()
    if found.digest != digest:
        raise ValueError("another extractor")
    return found


def _floats(array: npt.NDArray[Any]) -> Floats:
    if array.dtype not in (np.float32, np.float16) or not np.isfinite(array).all():
        raise ValueError("an array of another kind")
    return array.astype(np.float32)
