"""Times in the viewer's zone, which the browser names."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def zone() -> tzinfo:
    """The viewer's zone; UTC if the browser names none that is known here."""
    name = st.context.timezone
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def days_between(chosen: object) -> tuple[datetime | None, datetime | None]:
    """Begin of the first day and end of the last, which the range no longer holds; None while no day is chosen.

    chosen : of a date input for a range, whose last day may not be chosen yet.
    """
    if not isinstance(chosen, tuple) or not chosen:
        return None, None
    first, last = (datetime.combine(day, time(), zone()) for day in (chosen[0], chosen[-1]))
    return first, last + timedelta(days=1)


def wall_time(time: datetime) -> datetime:
    """The time on the viewer's clock, without a zone, for a table whose heading names it."""
    return time.astimezone(zone()).replace(tzinfo=None)


def heading(text: str) -> str:
    """A heading with the zone, such as Started (CEST)."""
    return f"{text} ({abbreviation()})"


def time_text(time: datetime | None) -> str:
    """Such as 4 Oct 2025, 08:44:11 CEST."""
    return f"{time.astimezone(zone()):%-d %b %Y, %H:%M:%S} {abbreviation(time)}" if time else "–"


def clock_text(time: datetime) -> str:
    """Such as 08:44 CEST."""
    return f"{time.astimezone(zone()):%H:%M} {abbreviation(time)}"


def abbreviation(time: datetime | None = None) -> str:
    """The zone's short name at a time, by default now: CEST, or UTC+03 where it has none."""
    name = (time or datetime.now(UTC)).astimezone(zone()).strftime("%Z")
    return f"UTC{name}" if name[:1] in "+-" else name
