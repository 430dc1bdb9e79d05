"""Label files of other tools, row by row: augmented manifests of Ground Truth, Label Studio's JSON, CSV.

Each row becomes a label or a reason why it is none; one bad row never stops the others.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")  # zero-width and direction characters
METADATA = "-metadata"
_LONGEST = 300  # characters of a value that a reason quotes


@dataclass(frozen=True)
class LabelRow:
    """A label of a file.

    row : its number, from 1.  label : as written.  id : of the inference; image : URI or key; either may be empty.
    reviewer, time : None if the file does not say.
    """

    row: int
    label: str
    id: str = ""
    image: str = ""
    reviewer: str | None = None
    time: datetime | None = None
    note: str = ""
    strategy: str | None = None
    probability: float | None = None


@dataclass(frozen=True)
class RefusedRow:
    row: int
    reason: str


Rows = Iterator[LabelRow | RefusedRow]


class NotALabelFile(ValueError):
    """The file is of none of the known formats; the message says what it looks like."""


def rows_of(text: str) -> Rows:
    """The rows of a label file, whose format its contents tell. Raises NotALabelFile."""
    text = text.removeprefix("\ufeff")
    start = text.lstrip()[:1]
    if start == "[":
        return _label_studio(_tasks(text))
    if start == "{":
        return _manifest(text)
    if "label" in _header(text):
        return _csv(text)
    raise NotALabelFile(
        "It is neither an augmented manifest (JSON Lines) nor Label Studio's JSON nor a CSV with a column “label”."
    )


def _header(text: str) -> list[str]:
    try:
        return [name.strip().lower() for name in next(csv.reader(io.StringIO(text)), [])]
    except csv.Error:
        return []


def _json(text: str) -> Any:
    """Raises ValueError for what is no JSON, or too deep."""
    try:
        return json.loads(text, parse_constant=str)
    except RecursionError:
        raise ValueError("too deep") from None


# Augmented manifest. Source: SageMaker Ground Truth, "Output data", image classification job output.


def _manifest(text: str) -> Rows:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            document = _json(line)
        except ValueError:
            yield RefusedRow(number, "The line is not JSON.")
            continue
        yield _manifest_row(number, document)


def _manifest_row(number: int, document: Any) -> LabelRow | RefusedRow:
    if not isinstance(document, dict):
        return RefusedRow(number, "The line is not a JSON object.")
    fields = {_visible(name): value for name, value in document.items()}
    image = fields.get("source-ref")
    if not isinstance(image, str) or not image:
        return RefusedRow(number, "The line has no “source-ref” with the image's place.")
    described = {name: value for name, value in fields.items() if name.endswith(METADATA) and isinstance(value, dict)}
    named = {name: value for name, value in described.items() if isinstance(value.get("class-name"), str)}
    matching = {name: value for name, value in named.items() if name.removesuffix(METADATA) in fields} or named
    if not matching:
        return RefusedRow(number, _without_name(fields, described))
    if len(matching) > 1:
        names = ", ".join(f"“{name.removesuffix(METADATA)}”" for name in matching)
        return RefusedRow(number, f"The line has several labels ({names}): leave one of them.")
    [metadata] = matching.values()
    if metadata.get("human-annotated") == "no":
        return RefusedRow(number, "The label is a model's (“human-annotated” is “no”).")
    return _with_details(number, metadata["class-name"], image, metadata, time=metadata.get("creation-date"))


def _without_name(fields: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    if described:
        return f"“{_short(next(iter(described)))}” has no “class-name”, so that the label's class is not known."
    others = [name for name in fields if name != "source-ref"]
    if not others:
        return "The image has no label."
    return f"The label “{_short(others[0])}” has no “{_short(others[0])}{METADATA}” with its class name."


def _visible(name: str) -> str:
    """A key without the characters that nobody sees, which some editors leave in it."""
    return unicodedata.normalize("NFC", INVISIBLE.sub("", name)).strip()


# Label Studio. Source: labelstud.io, "Label Studio JSON format of annotated tasks".


def _tasks(text: str) -> list[Any]:
    try:
        found: list[Any] = _json(text)
    except ValueError:
        raise NotALabelFile("It starts like Label Studio's JSON, but is not JSON: export it again.") from None
    return found


def _label_studio(tasks: list[Any]) -> Rows:
    for number, task in enumerate(tasks, start=1):
        yield from _task(number, task)


def _task(number: int, task: Any) -> Rows:
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict):
        yield RefusedRow(number, "The task has no “data”.")
        return
    image = next((value for value in (data.get("image"), *data.values()) if isinstance(value, str) and value), "")
    annotations = [
        one for one in task.get("annotations") or () if isinstance(one, dict) and not one.get("was_cancelled")
    ]
    if not annotations:
        yield RefusedRow(number, "The task has no annotation.")
    for annotation in annotations:
        choices = [choice for part in annotation.get("result") or () for choice in _choices(part)]
        if len(choices) != 1:
            found = "no choice" if not choices else f"{len(choices)} choices"
            yield RefusedRow(number, f"The annotation has {found}; one is needed.")
            continue
        by = _annotator(annotation.get("completed_by"))
        details = {"reviewer": by} | _object(task.get("meta")) | _object(annotation.get("meta"))
        time = details.get("time") or annotation.get("created_at")
        yield _with_details(number, choices[0], image, details, time=time)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _choices(part: Any) -> list[str]:
    value = part.get("value") if isinstance(part, dict) else None
    found = value.get("choices") if isinstance(value, dict) else None
    return [choice for choice in found if isinstance(choice, str)] if isinstance(found, list) else []


def _annotator(found: Any) -> str | None:
    if isinstance(found, dict):
        found = found.get("email") or found.get("id")
    if isinstance(found, int):
        return f"Label Studio user {found}"
    return found if isinstance(found, str) else None


# CSV


def _csv(text: str) -> Rows:
    reader = csv.DictReader(io.StringIO(text))
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    try:
        for number, row in enumerate(reader, start=1):
            fields = {name: uncell(value) for name, value in row.items() if name and isinstance(value, str)}
            if not fields.get("label"):
                yield RefusedRow(number, "The row has no label.")
            else:
                yield _with_details(number, fields["label"], fields.get("image", ""), fields, time=fields.get("time"))
    except csv.Error as error:
        yield RefusedRow(reader.line_num, f"The row cannot be read ({error}); the rows after it are not read either.")


def uncell(value: str) -> str:
    """The text that was quoted, so that a spreadsheet does not run it as a formula."""
    return value[1:] if value.startswith("'") else value


def _with_details(
    number: int, label: str, image: str, details: Mapping[str, Any], *, time: Any
) -> LabelRow | RefusedRow:
    at = None
    if time:
        try:
            at = _time(time)
        except (ValueError, TypeError, OverflowError):
            return RefusedRow(number, f"“{_short(time)}” is not a time.")
    probability = details.get("probability")
    try:
        drawn = None if probability in (None, "") else float(probability)
    except (ValueError, TypeError):
        return RefusedRow(number, f"The probability “{_short(probability)}” is not a number.")

    def text(name: str) -> str:
        value = details.get(name)
        return value if isinstance(value, str) else ""

    return LabelRow(
        row=number,
        label=label.strip(),
        id=text("id"),
        image=image,
        reviewer=text("reviewer") or None,
        time=at,
        note=text("note"),
        strategy=text("strategy") or None,
        probability=drawn,
    )


def _time(text: Any) -> datetime:
    found = datetime.fromisoformat(str(text))
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _short(value: Any) -> str:
    return str(value)[:_LONGEST]
