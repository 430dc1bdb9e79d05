"""Wait: https://states-language.net/spec.html#wait-state"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scones_core.local.workflow.asl.errors import QueryFailure, RuntimeFailure
from scones_core.local.workflow.asl.frame import Frame
from scones_core.local.workflow.asl.jsontext import dumps, is_integer
from scones_core.local.workflow.asl.paths import Path, PathError
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.state import State, Transition

LONGEST = 2**31 - 1  # seconds: AWS waits 24,855 days, and refuses 24,856


@dataclass(frozen=True)
class Wait(State):
    """`seconds` gives how long to wait in the state's effective scope."""

    seconds: Callable[[Scope], float] = lambda scope: 0
    type = "Wait"
    can_be_aborted = True

    def settled_before(self, frame: Frame) -> int:
        # AWS looks at the time to wait only after it has recorded that the state is entered.
        return frame.previous

    async def run(self, frame: Frame, scope: Scope) -> Transition:
        effective = await frame.evaluate(self.flow.effective, scope)
        seconds = await frame.evaluate(self.seconds, effective)
        if seconds > LONGEST:
            raise RuntimeFailure.because("Wait state delay is too long.")
        if seconds > 0:
            await asyncio.sleep(seconds)
        return Transition(await frame.evaluate(self.flow.settle, effective), self.next)


def seconds_at(path: Path, scope: Scope) -> int:
    """Return the seconds that a SecondsPath leads to. Raises RuntimeFailure with AWS's words."""
    try:
        value = path.read(scope)
    except PathError:
        raise _bad_seconds(f"does not reference an input value: {path.text}") from None
    shown = value if isinstance(value, str) else dumps(value)
    if not is_integer(value):
        raise _bad_seconds(f"cannot be parsed as a long value: {path.text} == {shown}")
    if value < 0:
        raise _bad_seconds(f"references a negative value: {path.text} == {shown}")
    return int(value)


def _bad_seconds(what: str) -> RuntimeFailure:
    return RuntimeFailure.because(f"The SecondsPath parameter {what}")


_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


def parsed_timestamp(text: Any) -> datetime | None:
    """Return the moment of an RFC 3339 timestamp with an uppercase T and Z, or None for anything else."""
    found = _TIMESTAMP.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[1] + (found[2] or "")[:7] + found[3].replace("Z", "+00:00"))
    except ValueError:
        return None


def seconds_until(text: Any) -> float | None:
    """Return the seconds from now to a timestamp, or None when it is none."""
    moment = parsed_timestamp(text)
    return None if moment is None else (moment - datetime.now(UTC)).total_seconds()


def not_a_timestamp(field: str, path: str, value: Any) -> RuntimeFailure:
    """AWS's error for a path that leads to no timestamp."""
    return RuntimeFailure.because(
        f"The {field} parameter does not reference a valid ISO-8601 extended offset date-time format string: "
        f"{path} == {value}"
    )


def no_timestamp_given(location: str, value: Any) -> QueryFailure:
    """AWS's error for an expression that gives no timestamp."""
    return QueryFailure.at(
        location,
        f"The {location} field cannot be parsed as an ISO-8601 extended offset date-time format string: {value}",
    )
