"""Results of an ended batch, image by image, from the objects that its Map and its last state wrote."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, TypeAdapter

from scones_core.domain.history import message_of
from scones_core.domain.typed import typed
from scones_core.services.app import App
from scones_core.services.batch import Batch, S3Object


class _Failed(S3Object):
    error: str | None = None
    cause: str | None = None


class _Summary(BaseModel):
    """The part of summary.json that is used here."""

    errors: list[_Failed]


class _File(BaseModel):
    Key: str


class _Files(BaseModel):
    SUCCEEDED: list[_File] = []
    FAILED: list[_File] = []


class _Manifest(BaseModel):
    """What a Map's ResultWriter writes; the names are the API's."""

    ResultFiles: _Files


class _Result(BaseModel):
    """One line of a result file: a child execution."""

    Status: str
    Input: str = "{}"
    Output: str = "{}"
    Error: str | None = None


class _Item(S3Object):
    """Output of a child execution (infra/classify_batch.asl.json)."""

    outcome: str
    inferences: tuple[float, ...] = ()


_AGAIN, _ONE = "Send the batch again.", "a result of the batch"
_SUMMARY = TypeAdapter(_Summary)
_MANIFEST, _RESULT = TypeAdapter(_Manifest), TypeAdapter(_Result)
_KEY, _CLASSIFIED = TypeAdapter(S3Object), TypeAdapter(_Item)


@dataclass(frozen=True)
class BatchItem:
    """One image of a batch. outcome : accepted, low_confidence or error; confidence : None for an error."""

    image: str
    outcome: str
    confidence: float | None = None
    error: str | None = None


def items(app: App, batch: Batch) -> list[BatchItem]:
    """All images of an ended batch, from the results that its Map wrote. Raises Damaged."""
    if batch.summary_key is None:
        return []
    key = f"{batch.summary_key.rpartition('/')[0]}/manifest.json"
    files = typed(_MANIFEST, app.backend.objects.get(key), f"objects/{key}", _AGAIN).ResultFiles
    return [_item(result) for file in files.SUCCEEDED + files.FAILED for result in _results(app, file.Key)]


def _results(app: App, key: str) -> Iterator[_Result]:
    for line in app.backend.objects.get(key).splitlines():
        if line.strip():
            yield typed(_RESULT, line, f"objects/{key}", _AGAIN)


def _item(result: _Result) -> BatchItem:
    if result.Status != "SUCCEEDED":
        image = typed(_KEY, result.Input.encode(), _ONE, _AGAIN).s3_key
        return BatchItem(image, "error", error=result.Error)
    item = typed(_CLASSIFIED, result.Output.encode(), _ONE, _AGAIN)
    return BatchItem(item.s3_key, item.outcome, max(item.inferences, default=None))


def failures(app: App, batch: Batch, *, limit: int = 500) -> list[dict[str, str]]:
    """Why images of an ended batch could not be classified: image (key), error, message; the first `limit`."""
    if not batch.errors or batch.summary_key is None:
        return []
    data = app.backend.objects.get(batch.summary_key)
    summary = typed(_SUMMARY, data, f"objects/{batch.summary_key}", _AGAIN)
    return [
        {"image": one.s3_key, "error": one.error or "", "message": message_of(one.cause)}
        for one in summary.errors[:limit]
    ]
