"""ResultWriter: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html"""

from dataclasses import dataclass, field
from typing import Any

from scones_core.local.workflow.asl.errors import RESULT_WRITER_FAILED, StatesError
from scones_core.local.workflow.asl.flow import Evaluate
from scones_core.local.workflow.asl.host import Host
from scones_core.local.workflow.asl.jsontext import dumps
from scones_core.local.workflow.asl.map_run import Child, MapRun

RECORDS_PER_FILE = 5_000  # bounds what is held in memory
_FILES = {"SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED", "TIMED_OUT": "FAILED", "ABORTED": "PENDING"}


@dataclass(frozen=True)
class ResultWriter:
    """`arguments` gives {"Bucket": …, "Prefix": …}; None where the results stay in the state's output."""

    arguments: Evaluate | None
    transformation: str = "NONE"
    lines: bool = False  # JSON Lines in place of one JSON array

    def open(self, host: Host, destination: dict[str, Any], run: MapRun) -> "Export":
        return Export(self, host, destination, run)


@dataclass
class Export:
    """The files of one Map Run: its results by status, in files of bounded size, and a manifest."""

    writer: ResultWriter
    host: Host
    destination: dict[str, Any]
    run: MapRun
    waiting: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    )

    async def add(self, child: Child) -> None:
        kind = _FILES[child.status]
        records = self.waiting.setdefault(kind, [])
        records.extend(dumps(record) for record in transformed(child, self.writer.transformation))
        if len(records) >= RECORDS_PER_FILE:
            await self._flush(kind)

    async def close(self) -> dict[str, Any]:
        """Write what is left and the manifest; return the Map state's result."""
        for kind in list(self.waiting):
            await self._flush(kind)
        manifest = {
            "DestinationBucket": self.destination["Bucket"],
            "MapRunArn": self.run.arn,
            "ResultFiles": self.files,
        }
        key = await self._put("manifest.json", dumps(manifest))
        details = {"Bucket": self.destination["Bucket"], "Key": key}
        return {"MapRunArn": self.run.arn, "ResultWriterDetails": details}

    async def _flush(self, kind: str) -> None:
        records = self.waiting.pop(kind)
        text = "\n".join(records) if self.writer.lines else f"[{','.join(records)}]"
        name = f"{kind}_{len(self.files[kind])}.json" + ("l" if self.writer.lines else "")
        key = await self._put(name, text)
        self.files[kind].append({"Key": key, "Size": len(text.encode())})
        for counts in (self.run.items, self.run.executions):
            counts["resultsWritten"] += len(records)

    async def _put(self, name: str, text: str) -> str:
        prefix = self.destination.get("Prefix", "").rstrip("/")
        key = f"{prefix}/{self.run.id}/{name}".lstrip("/")
        call = {"Bucket": self.destination["Bucket"], "Key": key, "Body": text.encode()}
        try:
            await self.host.storage(lambda s3: s3.put_object(**call))
        except Exception as error:  # boto3 makes its error classes as it goes; they share no base but this
            raise StatesError(RESULT_WRITER_FAILED, f"{type(error).__name__}: {error}") from None
        return key


def transformed(child: Child, transformation: str) -> list[Any]:
    """Return the records of one child; of one that failed, always its whole result."""
    if child.error is not None or transformation == "NONE":
        return [child.result()]
    if transformation == "FLATTEN" and isinstance(child.output, list):
        return child.output
    return [child.output]
