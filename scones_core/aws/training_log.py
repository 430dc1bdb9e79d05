"""Log lines of training jobs, from CloudWatch, and the metrics in them."""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scones_core.aws.session import Aws
from scones_core.aws.ttl_cache import TtlCache
from scones_core.errors import NotFound

GROUP = "/aws/sagemaker/TrainingJobs"
# What the embedded classifier's script writes, and what the built-in algorithm writes after each epoch.
SCRIPT = re.compile(r"^(\S+) #quality_metric: (\S+?)\s*=\s*([-+.\deE]+|nan|inf)$")
BUILT_IN = re.compile(r"^(\S+) .*Epoch\[\d+\] (Train|Validation)-(\w[\w-]*)=([-+.\deE]+|nan|inf)$")


@dataclass
class _Read:
    """Log lines read of one job. tokens : log stream → position to continue from."""

    lines: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)


class TrainingLogs:
    """Reads incrementally, at most every `poll` seconds per job."""

    def __init__(self, aws: Aws, poll: float) -> None:
        self._aws = aws
        self._read: dict[str, _Read] = {}
        self._reading = threading.Lock()
        self._asked: TtlCache[Sequence[str]] = TtlCache(poll, lambda _: False)  # the last lines come after the end

    def lines(self, job: str) -> Sequence[str]:
        """The log lines so far, oldest first, a time before each."""
        return self._asked.get(job, lambda: self._read_on(job))

    def _read_on(self, job: str) -> Sequence[str]:
        with self._reading:
            read = self._read.setdefault(job, _Read())
            for stream in self._streams(job):
                read.lines.extend(self._new_lines(stream, read))
            return list(read.lines)

    def _streams(self, job: str) -> Sequence[str]:
        pages = self._aws.logs.get_paginator("describe_log_streams").paginate(
            logGroupName=GROUP, logStreamNamePrefix=f"{job}/"
        )
        try:
            return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
        except NotFound:  # no job has written a line yet
            return []

    def _new_lines(self, stream: str, read: _Read) -> Iterator[str]:
        """CloudWatch gives the same token again at the end of a stream."""
        while True:
            known = read.tokens.get(stream)
            where: Any = {"nextToken": known} if known else {}
            answer = self._aws.logs.get_log_events(
                logGroupName=GROUP, logStreamName=stream, startFromHead=True, **where
            )
            for event in answer["events"]:
                time = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).isoformat(timespec="milliseconds")
                yield f"{time} {event['message'].rstrip()}"
            read.tokens[stream] = answer["nextForwardToken"]
            if answer["nextForwardToken"] == known:
                return


def metrics(lines: Sequence[str], started: datetime) -> list[tuple[float, str, float]]:
    """(seconds since `started`, name, value) of each metric in the lines; names as `validation:accuracy`."""
    found = []
    for line in lines:
        if match := SCRIPT.match(line):
            found.append((match[1], match[2], match[3]))
        elif match := BUILT_IN.match(line):
            found.append((match[1], f"{match[2].lower()}:{match[3]}", match[4]))
    return [
        ((datetime.fromisoformat(time) - started).total_seconds(), name, float(value)) for time, name, value in found
    ]
