"""ItemReader: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html"""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from operator import methodcaller
from typing import Any

from scones_core.local.workflow.asl.errors import ITEM_READER_FAILED, StatesError
from scones_core.local.workflow.asl.flow import Evaluate
from scones_core.local.workflow.asl.host import Host
from scones_core.local.workflow.asl.scope import Scope

PAGE = 1_000  # items read at a time
MAX_ITEMS = 100_000_000
DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}

Page = list[Any]


@dataclass(frozen=True)
class Call:
    """The parameters of the S3 call, and how many items are wanted at most; 0 for all."""

    arguments: Mapping[str, Any]
    max_items: int


class ItemReader:
    """Gives the items of a distributed Map in pages, so that they need not all be in memory."""

    def call(self, scope: Scope) -> "Call":
        """Evaluate the fields of the reader. Raises StateFailure."""
        raise NotImplementedError

    def pages(self, host: Host, call: "Call") -> AsyncIterator[Page]:
        """Yield lists of items. Raises StatesError."""
        raise NotImplementedError


@dataclass(frozen=True)
class Reading(ItemReader):
    """What the readers share: `arguments` gives the parameters of the S3 call, `max_items` a bound or None."""

    arguments: Evaluate
    max_items: Evaluate | None = None

    def call(self, scope: Scope) -> Call:
        return Call(self.arguments(scope), self.max_items(scope) if self.max_items else 0)

    async def pages(self, host: Host, call: Call) -> AsyncIterator[Page]:
        if call.max_items < 0:
            raise StatesError(ITEM_READER_FAILED, "field MaxItems must be positive")
        left = min(call.max_items, MAX_ITEMS) or MAX_ITEMS
        async for page in self.all_pages(host, call.arguments):
            yield page[:left]
            left -= len(page)
            if left <= 0:
                return

    def all_pages(self, host: Host, arguments: Mapping[str, Any]) -> AsyncIterator[Page]:
        raise NotImplementedError


class ListObjects(Reading):
    """Every object under a prefix is an item."""

    async def all_pages(self, host: Host, arguments: Mapping[str, Any]) -> AsyncIterator[Page]:
        token: dict[str, Any] = {}
        while True:
            call = {"MaxKeys": PAGE, **arguments, **token}
            answer = await read_storage(host, methodcaller("list_objects_v2", **call))
            yield [_listed(found) for found in answer.get("Contents", ())]
            if not answer.get("IsTruncated"):
                return
            token = {"ContinuationToken": answer["NextContinuationToken"]}


def _listed(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "Etag": found["ETag"],
        "Key": found["Key"],
        "LastModified": int(found["LastModified"].timestamp()),
        "Size": found["Size"],
        "StorageClass": found["StorageClass"],
    }


@dataclass(frozen=True)
class ReadObject(Reading):
    """The items are inside one object; `parse` takes them out of its text."""

    parse: Callable[[str], Iterable[Any]] = str.split

    async def all_pages(self, host: Host, arguments: Mapping[str, Any]) -> AsyncIterator[Page]:
        data: bytes = await read_storage(host, lambda s3: s3.get_object(**arguments)["Body"].read())
        items = iter(self._parsed(data))
        while page := await read_storage(host, lambda s3: list(islice(items, PAGE))):
            yield page

    def _parsed(self, data: bytes) -> Iterator[Any]:
        try:
            yield from self.parse(data.decode("utf-8-sig"))
        except (ValueError, csv.Error) as error:
            raise StatesError(ITEM_READER_FAILED, str(error)) from None


def json_items(text: str) -> Iterable[Any]:
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError("Attempting to map over non-iterable node.")
    return found


def json_lines_items(text: str) -> Iterable[Any]:
    return (json.loads(line) for line in text.splitlines() if line.strip())


def csv_items(headers: list[str] | None, delimiter: str) -> Callable[[str], Iterable[Any]]:
    """Return a parser of CSV; the first row has the headers where they are not given."""

    def parse(text: str) -> Iterable[Any]:
        rows = csv.reader(io.StringIO(text), delimiter=delimiter)
        names = headers or next(rows, [])
        if len(set(names)) < len(names):
            raise ValueError("CSV headers cannot contain duplicates.")
        for row in rows:
            if row:
                yield {name: row[place] if place < len(row) else "" for place, name in enumerate(names)}

    return parse


async def read_storage(host: Host, operation: Callable[[Any], Any]) -> Any:
    """Call S3; its errors become States.ItemReaderFailed."""
    try:
        return await host.storage(operation)
    except StatesError:
        raise
    except Exception as error:  # boto3 makes its error classes as it goes; they share no base but this
        raise StatesError(ITEM_READER_FAILED, f"{type(error).__name__}: {error}") from None
