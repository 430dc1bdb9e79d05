"""Notifications on the page Workflow."""

from datetime import UTC, datetime

import pytest

from scones_core.db import notifications
from scones_core.ui.shell.session import get_app
from tests.unit.pages.driving import Open, pressed, texts


def test_without_a_channel_the_page_says_how_to_configure_one(open_part: Open) -> None:
    page = open_part("notifications")
    assert "no channel is configured" in texts(page)
    assert "SCONES_NOTIFY=" in page.code[0].value
    assert "No messages yet" in texts(page)


def test_messages_that_were_sent_are_listed_with_what_failed(open_part: Open) -> None:
    now = datetime.now(UTC)
    told = {"time": now, "up_to": now, "executions": 3, "title": "3 executions failed", "body": "why"}
    with get_app().db.write() as connection:
        notifications.add(connection, {**told, "failure": None})
        notifications.add(connection, {**told, "failure": "The hook did not answer."})
    (first, second) = open_part("notifications").dataframe[0].value.to_dict("records")
    assert (first["Result"], first["Failure"]) == (["Not sent"], "The hook did not answer.")
    assert (second["Result"], second["Executions"], second["Title"]) == (["Sent"], 3, "3 executions failed")


def test_a_channel_is_named_without_its_secrets(open_part: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCONES_NOTIFY", "json://someone:hidden@127.0.0.1:9/hook")
    page = open_part("notifications")
    assert "reported to 1 channel" in texts(page)
    assert "json://127.0.0.1" in texts(page)
    assert "hidden" not in texts(page)
    assert "The message was not sent to json" in pressed(page, "Send a test message").error[0].value


def test_a_wrong_channel_is_an_error_and_no_crash(open_part: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCONES_NOTIFY", "nonsense")
    assert "SCONES_NOTIFY" in open_part("notifications").error[0].value
