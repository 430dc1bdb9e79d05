"""CIFAR-100 archives as tests write them."""

import io
import pickle
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scones_core.sources.cifar100_classes import CLASSES

BICYCLE, MOTORCYCLE, APPLE = 8, 48, 0


def rows(labels: list[int], seed: int, **changed: Any) -> dict[bytes, Any]:
    """The contents of one CIFAR-100 file with a picture of noise per label."""
    data = np.random.default_rng(seed).integers(0, 256, (len(labels), 3072), dtype=np.uint8)
    names = [b"%s_s_%06d.png" % (CLASSES[label % 100].encode(), row) for row, label in enumerate(labels)]
    content: dict[str, Any] = {"data": data, "fine_labels": labels, "coarse_labels": labels, "filenames": names}
    return {key.encode(): value for key, value in (content | changed).items()}


def write_archive(path: Path, members: Mapping[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            entry = tarfile.TarInfo(f"cifar-100-python/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def cifar_members(protocol: int = 2, **changed: bytes) -> dict[str, bytes]:
    train = rows([BICYCLE, MOTORCYCLE, APPLE, BICYCLE, MOTORCYCLE], seed=1)
    test = rows([MOTORCYCLE, APPLE, BICYCLE], seed=2)
    meta = {b"fine_label_names": [name.encode() for name in CLASSES]}
    named = {"train": train, "test": test, "meta": meta}
    return {name: pickle.dumps(content, protocol=protocol) for name, content in named.items()} | changed
