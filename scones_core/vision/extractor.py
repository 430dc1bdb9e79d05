"""Image embeddings by a frozen network: EfficientNet-Lite0, pretrained on ImageNet (see `extractor.NOTICE`).

Without onnxruntime or with other weights there is no extractor: classifiers then work on visual words alone.

Reference
---------
[TAN19] Tan, Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019.
"""

import functools
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scones_core.errors import Unavailable
from scones_core.vision.images import Pixels

__all__ = ["DIGEST", "SIDE", "WIDTH", "Embeddings", "Extractor", "extractor", "missing"]

Embeddings = npt.NDArray[np.float16]

WEIGHTS = Path(__file__).with_name("extractor.onnx")
DIGEST = "3c192dfc2f4050e08914569c3d97cf92a648306b66823ca96a1df28aa8abb5d6"  # SHA-256 of the weights
SIDE = 128  # pixels; larger pictures are reduced to it, smaller ones enlarged
WIDTH = 704  # numbers per image: channel means of the last four stages
OFF = "SCONES_EXTRACTOR"  # environment variable; "off" refuses the extractor


class Extractor:
    """The network, loaded; safe to share among threads. digest : of its weights, the name of its embeddings."""

    digest = DIGEST

    def __init__(self, session: Any) -> None:
        self._session = session

    def embed(self, pixels: Pixels) -> Embeddings:
        """Embeddings, shape (n, WIDTH), of images, uint8, shape (n, SIDE, SIDE, 3)."""
        [found] = self._session.run(["embedding"], {"pixels": pixels})
        return np.asarray(found, dtype=np.float16)


@functools.cache
def extractor() -> Extractor:
    """The extractor of this process.  Raises Unavailable, saying why."""
    if os.environ.get(OFF, "").lower() == "off":
        raise Unavailable(f"Image embeddings are switched off by {OFF}=off.")
    try:
        import onnxruntime
    except ImportError:
        raise Unavailable("Image embeddings need onnxruntime, which is not installed: install it.") from None
    try:
        weights = WEIGHTS.read_bytes()
    except OSError:
        raise Unavailable(f"Image embeddings need {WEIGHTS.name}, which is missing: install the app again.") from None
    if hashlib.sha256(weights).hexdigest() != DIGEST:
        raise Unavailable(f"{WEIGHTS.name} is not the file that this version ships: install the app again.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # callers spread images over the cores
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return Extractor(onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"]))


def missing() -> str | None:
    """Why there is no extractor; None if there is."""
    try:
        extractor()
    except Unavailable as error:
        return str(error)
    return None
