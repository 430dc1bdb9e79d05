"""Runs as a process of its own: unpickles one CIFAR-100 file from stdin without trusting it.

Imports the standard library only. The pickle's references to numpy resolve to the stand-ins below, so that nothing of
numpy runs on its bytes; every other reference is refused. Memory and processor time are limited before the first byte
is read. Answers on stdout with one line of JSON, then the chosen rows (3,072 bytes each).
"""

import json
import pickle
import sys
from typing import Any, BinaryIO

ROW_BYTES = 3 * 32 * 32
LONGEST_NAME = 200
INTEGER_FORMATS = {"u1": "B", "i1": "b", "u2": "H", "i2": "h", "u4": "I", "i4": "i", "u8": "Q", "i8": "q", "b1": "?"}


class RefusedError(Exception):
    """The pickle is not what CIFAR-100 holds; its text is for the user."""


class Dtype:
    """Stands in for numpy.dtype: its code only, as `u1`."""

    def __init__(self, code: Any, *_flags: Any) -> None:
        self.code = code.decode("latin-1") if isinstance(code, bytes) else str(code)

    def __setstate__(self, state: Any) -> None:
        if len(state) > 1 and state[1] in (">", b">") and not self.code.endswith("1"):
            raise RefusedError("it holds numbers in an unexpected byte order")


class Array:
    """Stands in for numpy.ndarray: its shape, code and bytes."""

    shape: tuple[int, ...] = ()
    code = ""
    content = b""

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, fortran, content = state
        self.fill(shape, dtype, content, "F" if fortran else "C")

    def fill(self, shape: Any, dtype: Dtype, content: Any, order: str) -> "Array":
        if order not in ("C", "A") and len(shape) > 1:
            raise RefusedError("its images are stored column by column")
        self.shape, self.code, self.content = tuple(shape), dtype.code, bytes(content)
        return self

    def integers(self) -> list[int]:
        return [int(value) for value in memoryview(self.content).cast(INTEGER_FORMATS[self.code])]  # type: ignore[call-overload]


def reconstruct(*_arguments: Any) -> Array:
    return Array()


def from_buffer(content: Any, dtype: Dtype, shape: Any, order: str) -> Array:
    return Array().fill(shape, dtype, content, order)


def scalar(dtype: Dtype, content: bytes) -> int:
    return Array().fill((1,), dtype, content, "C").integers()[0]


def encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise RefusedError("it holds text in an unexpected encoding")
    return text.encode("latin-1")


def no_bytes() -> bytes:
    """How protocol 2 writes b""."""
    return b""


ALLOWED = {
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): Dtype,
    ("_codecs", "encode"): encode,
    ("__builtin__", "bytes"): no_bytes,
    ("collections", "OrderedDict"): dict,
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", reconstruct),
            ("multiarray", "scalar", scalar),
            ("numeric", "_frombuffer", from_buffer),
        )
    },
}


class CifarUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise RefusedError(f"it refers to “{module}.{name}”"[:120])
        return ALLOWED[module, name]


def text(value: Any) -> str:
    decoded = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return decoded[:LONGEST_NAME]


def listed(value: Any, name: str) -> list[Any]:
    if isinstance(value, Array):
        return value.integers()
    if not isinstance(value, list | tuple):
        raise RefusedError(f"its “{name}” are missing or not a list")
    return list(value)


def class_names(content: dict[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
    return {"names": [text(name) for name in listed(content.get("fine_label_names"), "fine_label_names")]}, []


def chosen_rows(content: dict[str, Any], wanted: set[int], classes: int) -> tuple[dict[str, Any], list[memoryview]]:
    """Rows whose label is wanted, and `outside`: the names of those whose label is no class at all."""
    data = content.get("data")
    if not isinstance(data, Array) or data.code not in ("u1", "|u1") or data.shape[1:] != (ROW_BYTES,):
        raise RefusedError("its “data” are not rows of 3,072 bytes")
    labels = [int(label) for label in listed(content.get("fine_labels"), "fine_labels")]
    names = [text(name) for name in content.get("filenames") or [f"image_{row:06}.png" for row in range(len(labels))]]
    if not len(labels) == len(names) == data.shape[0] == len(data.content) / ROW_BYTES:
        raise RefusedError("it does not hold as many labels and names as images")
    rows = [row for row, label in enumerate(labels) if label in wanted]
    header = {
        "labels": [labels[row] for row in rows],
        "filenames": [names[row] for row in rows],
        "outside": [(names[row], str(label)[:20]) for row, label in enumerate(labels) if not 0 <= label < classes],
    }
    view = memoryview(data.content)
    return header, [view[row * ROW_BYTES : (row + 1) * ROW_BYTES] for row in rows]


def limit(memory_bytes: int, cpu_seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the reader's own time limit holds there
        return
    for kind, amount in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, cpu_seconds)):
        try:
            resource.setrlimit(kind, (amount, amount))
        except (ValueError, OSError):  # macOS refuses RLIMIT_AS
            continue


def answer(stream: BinaryIO, request: dict[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
    content = CifarUnpickler(stream, encoding="bytes").load()
    while stream.read(1 << 20):  # whoever feeds us must not be left writing
        pass
    if not isinstance(content, dict):
        raise RefusedError("it does not hold a dictionary")
    content = {text(key): value for key, value in content.items()}
    if request["wanted"] is None:
        return class_names(content)
    return chosen_rows(content, set(request["wanted"]), request["classes"])


def main() -> None:
    request = json.loads(sys.argv[1])
    limit(request["memory_bytes"], request["cpu_seconds"])
    rows: list[memoryview] = []
    try:
        header, rows = answer(sys.stdin.buffer, request)
    except RefusedError as refusal:
        header = {"error": str(refusal)}
    except MemoryError:
        header = {"error": "it asks for more memory than CIFAR-100 needs"}
    except Exception:  # whatever a hostile pickle raises: the answer is the same
        header = {"error": "it is damaged or not a pickle of CIFAR-100"}
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    for row in rows:
        sys.stdout.buffer.write(row)


if __name__ == "__main__":
    main()
