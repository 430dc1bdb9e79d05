"""Parsing of an endpoint's answer for one image.

Supported forms, as JSON or BASE64-encoded JSON, bare, as the only element of a list, or under a name like
`predictions`:

    [0.9, 0.1]      ["0.9", "0.1"]      {"probabilities": [0.9, 0.1]}      {"predictions": [[0.9, 0.1]]}
    {"labels": ["bicycle", "motorcycle"], "scores": [0.9, 0.1]}      {"bicycle": 0.9, "motorcycle": 0.1}
    [{"label": "bicycle", "score": 0.9}, {"label": "motorcycle", "score": 0.1}]
    [["bicycle", 0.9], ["motorcycle", 0.1]]

and CSV, in one row or one column.

Sources: "Common data formats for inference" in the SageMaker developer guide; the pipelines of Hugging Face's
containers; "REST API" of TensorFlow Serving; the handlers of TorchServe; the responses of Autopilot and BlazingText.
"""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import pydantic_core

SUM_MAY_MISS = 1e-3  # probabilities rounded to half precision or to four digits add up to 1 so nearly
BEYOND = 1e-6  # a probability in single precision lies below 0 or above 1 by no more
DEPTH = 8  # wrappings around an answer
SCORES = (
    *("probabilities", "probability", "scores", "score", "probs", "prob", "confidences", "confidence"),
    *("predictions", "prediction", "outputs", "output", "data"),
)
LABELS = ("labels", "label", "class_names", "class_name", "classes", "class", "names", "name")
WORDS = {*SCORES, *LABELS, "predicted_label", "predicted_class"}  # name no class themselves


_NUMBERS = msgspec.json.Decoder(list[float])


class NotAnInference(ValueError):
    """A capture record that cannot be read as an inference; the text says why."""


class Answer(msgspec.Struct, frozen=True):
    """probabilities: one per class, each in [0, 1]. labels: their names in the same order, where there are any."""

    probabilities: tuple[float, ...]
    labels: tuple[str, ...] | None = None


def read_answer(text: str) -> Answer:
    """The probabilities in the text of an answer. Raises NotAnInference."""
    try:  # the usual form
        return Answer(_checked(_NUMBERS.decode(text)))
    except (msgspec.MsgspecError, UnicodeError, NotAnInference):
        pass
    value, labels = _parsed(text), None
    for _ in range(DEPTH):
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list | dict):
            value = value[0]
        elif isinstance(value, dict):
            value, found = _of_object(value)
            labels = labels if found is None else found
        elif isinstance(value, list) and value and isinstance(value[0], list | dict) and (rows := _labelled(value)):
            labels, value = [list(column) for column in zip(*rows, strict=True)]
        else:
            break
    return _in_order(_distribution(value), labels)


def _parsed(text: str) -> Any:
    """JSON, or numbers and commas."""
    if not text.strip():
        raise NotAnInference("the output is empty")
    try:
        return pydantic_core.from_json(text)  # raises nothing else, however deep or long the text is
    except ValueError:
        rows = [[cell.strip(" \t\"'") for cell in row.split(",")] for row in text.strip().splitlines()]
    if len(rows) > 1 and any(len(row) > 1 for row in rows):
        raise NotAnInference("the output is not a list of probabilities, or is one for several images")
    return [row[0] for row in rows] if len(rows) > 1 else rows[0]


def _of_object(value: dict[str, Any]) -> tuple[Any, list[Any] | None]:
    """The value that holds the scores, and the labels beside it."""
    for name in SCORES:
        if isinstance(value.get(name), list | dict):
            return value[name], next((value[key] for key in LABELS if isinstance(value.get(key), list)), None)
    if any(name in value for name in SCORES):
        raise NotAnInference("the output has the score of only one class, but all are needed")
    if not value or WORDS & value.keys() or not all(map(_is_number, value.values())):
        raise NotAnInference("the output has no list of probabilities under a known name")
    return list(value.values()), list(value)


def _labelled(value: list[Any]) -> list[tuple[Any, Any]]:
    """(label, score) per element; empty if the elements have another form."""
    if all(isinstance(one, dict) for one in value):
        rows = [(_first(one, LABELS), _first(one, SCORES)) for one in value]
        return rows if all(label is not None and _is_number(score) for label, score in rows) else []
    pairs = [one for one in value if isinstance(one, list) and len(one) == 2]
    named = [(label, score) for label, score in pairs if isinstance(label, str) and not _is_number(label)]
    return named if len(named) == len(value) and all(_is_number(score) for _, score in named) else []


def _first(value: dict[str, Any], names: Sequence[str]) -> Any:
    return next((value[name] for name in names if name in value), None)


def _is_number(value: Any) -> bool:
    return _number(value) is not None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, float | int | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _distribution(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise NotAnInference("the output is not a list of probabilities")
    numbers = [one if type(one) is float else _number(one) for one in value]
    if None in numbers:
        several = all(isinstance(one, list | dict) for one in value)
        raise NotAnInference(f"the output is not a list of probabilities{', but several' if several else ''}")
    return _checked([number for number in numbers if number is not None])


def _checked(numbers: list[float]) -> tuple[float, ...]:
    if len(numbers) < 2:
        raise NotAnInference("the output is not a list of two or more probabilities")
    beyond = min(numbers) < 0 or max(numbers) > 1 or math.isnan(sum(numbers))  # rarely
    if beyond:
        for number in numbers:
            if not -BEYOND <= number <= 1 + BEYOND:
                raise NotAnInference(f"the output is not a list of probabilities: {number:.4g} is not between 0 and 1")
    if abs(math.fsum(numbers) - 1) > SUM_MAY_MISS:
        raise NotAnInference(f"the output's probabilities add up to {math.fsum(numbers):.4g}, not to 1")
    return tuple(min(1.0, max(0.0, number)) for number in numbers) if beyond else tuple(numbers)


def _indices(labels: list[Any]) -> list[int] | None:
    """Labels that are class indices, possibly as texts."""
    if not all(type(one) is int or (isinstance(one, str) and one.isascii() and one.isdigit()) for one in labels):
        return None
    found = [int(one) for one in labels if len(str(one)) < 6]
    return found if sorted(found) == list(range(len(labels))) else None


def _in_order(probabilities: tuple[float, ...], labels: list[Any] | None) -> Answer:
    """Attach the labels; class indices instead of names give the position of each probability.

    Labels are sorted, as many containers order them by score, differently in each answer.
    """
    if labels is None:
        return Answer(probabilities)
    names = labels[0] if len(labels) == 1 and isinstance(labels[0], list) else labels
    if len(names) != len(probabilities):
        raise NotAnInference(f"the output has {len(names)} labels for {len(probabilities)} probabilities")
    if (indices := _indices(names)) is not None:
        return Answer(tuple(p for _, p in sorted(zip(indices, probabilities, strict=True))))
    if not all(isinstance(name, str) and name.strip() and "\0" not in name for name in names):
        raise NotAnInference("the output's labels are not all texts")
    if len(set(names)) < len(names):
        raise NotAnInference("the output names a label twice")
    ordered = sorted(zip(names, probabilities, strict=True))
    return Answer(tuple(p for _, p in ordered), tuple(name for name, _ in ordered))
