"""Failure notifications: one message per burst, and a record of sent messages."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scones_core.db import notifications as table
from scones_core.errors import SconesError
from scones_core.ports import Execution, ExecutionStatus
from scones_core.services.app import App
from scones_core.services.background import Loop

LOOKED_THROUGH = 1000  # failed executions listed, newest first; a larger burst is reported as “at least”
NAMED = 5
IN_DOUBT = "unknown whether it was sent: the app ended meanwhile"


def notify_failures(app: App, *, now: datetime | None = None) -> int:
    """Send one message about the executions that failed since the last one; returns their number.

    Sends nothing if no channel is configured, or until `SCONES_NOTIFY_SECONDS` after the last message; failures
    meanwhile go into the next one. The message is recorded before it is sent, so that two processes never send it
    twice.
    """
    if not app.backend.notifier.channels():
        return 0
    now = now or datetime.now(UTC)
    with app.db.read() as connection:
        told, last = table.last_told(connection), table.last_time(connection)
    if told is None or told > now:  # just switched on: past failures are not reported. Or the clock was ahead
        with app.db.write() as connection:
            if table.last_told(connection) == told:
                table.add(connection, _row(now, now, 0, "", "", None))
        return 0
    if last and timedelta() <= now - last < timedelta(seconds=app.settings.notify_seconds):
        return 0
    failed = _failed(app, after=told, until=now)
    if not failed:
        return 0
    up_to = max(execution.stopped for execution in failed if execution.stopped)
    title, body = _text(failed)
    with app.db.write() as connection:
        if table.last_told(connection) != told:  # another process reports them
            return 0
        noted = table.add(connection, _row(now, up_to, len(failed), title, body, IN_DOUBT))
    failure = _send(app, title, body)
    with app.db.write() as connection:
        table.set_failure(connection, noted, failure)
    return len(failed)


def note(app: App, connection: sa.Connection, title: str, body: str) -> int | None:
    """Record a message that is about to be delivered; None without a channel. Not about executions: 0 of them."""
    try:
        if not app.backend.notifier.channels():
            return None
    except SconesError:  # an invalid channel, which `doctor` reports
        return None
    now = datetime.now(UTC)
    return table.add(connection, _row(now, table.last_told(connection) or now, 0, title, body, IN_DOUBT))


def deliver(app: App, noted: int | None, title: str, body: str) -> None:
    """Send a message recorded by `note`."""
    if noted is not None:
        failure = _send(app, title, body)
        with app.db.write() as connection:
            table.set_failure(connection, noted, failure)


def _failed(app: App, *, after: datetime, until: datetime) -> list[Execution]:
    found = [
        execution
        for status in (ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT)
        for execution in app.backend.workflows.list(status=status, limit=LOOKED_THROUGH)
    ]
    return [execution for execution in found if execution.stopped and after < execution.stopped <= until]


def _text(failed: Sequence[Execution]) -> tuple[str, str]:
    errors = Counter(execution.error or "unknown error" for execution in failed)
    many = f"{'at least ' * (len(failed) >= LOOKED_THROUGH)}{len(failed)}"
    title = f"Scones Unlimited: {many} execution{'s' * (len(failed) > 1)} failed"
    lines = [f"{count} × {error}" for error, count in errors.most_common()]
    named = [f"{execution.name}: {execution.error}" for execution in failed[:NAMED]]
    more = [f"… and {len(failed) - NAMED} more"] if len(failed) > NAMED else []
    return title, "\n".join([*lines, "", *named, *more])


def _row(now: datetime, up_to: datetime, count: int, title: str, body: str, failure: str | None) -> dict[str, Any]:
    return {"time": now, "up_to": up_to, "executions": count, "title": title, "body": body, "failure": failure}


def _send(app: App, title: str, body: str) -> str | None:
    """The error, or None if it was sent."""
    try:
        app.backend.notifier.send(title, body)
    except SconesError as error:
        return str(error)
    return None


def sent(app: App, *, limit: int = 50) -> list[dict[str, Any]]:
    """Messages, newest first: time, executions, title, body, failure (None if it was sent)."""
    with app.db.read() as connection:
        return table.sent(connection, limit)


def channels(app: App) -> Sequence[str]:
    """The channels, without secrets. Raises BadInput for an invalid URL."""
    return app.backend.notifier.channels()


def send_test(app: App, channel: int) -> None:
    """Send a test message to the channel at this place in `channels`. Raises BadInput, Unavailable."""
    title = "Scones Unlimited: test message"
    app.backend.notifier.send(title, "Failed executions will be reported to this channel.", channel=channel)


def watch(app: App, *, every: float = 5.0) -> Loop | None:
    """Look for failed executions in the background until the app is closed.

    None if no channel is configured, or if one is invalid, which `doctor` reports.
    """
    with suppress(SconesError):
        if app.backend.notifier.channels():
            return app.background.repeat("notifications", every, lambda: notify_failures(app))
    return None
