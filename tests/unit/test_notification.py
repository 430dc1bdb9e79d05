"""When executions fail, subscribers hear of it once."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from scones_core.bootstrap import open_app
from scones_core.errors import BadInput, Unavailable
from scones_core.services import App, classification, monitoring, notification
from scones_core.settings import Settings


class Hook(BaseHTTPRequestHandler):
    received: list[dict[str, str]]

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A webhook on loopback: its Apprise URL, and what it received."""
    received: list[dict[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Hook,), {"received": received}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    thread.join()
    server.server_close()


def opened(app: App, url: str) -> App:
    """Another process on the same home, with a channel."""
    return open_app(Settings(home=app.settings.home, notify=SecretStr(url), notify_seconds=0))


def fail(app: App, count: int) -> None:
    monitoring.set_threshold(app, 0.999999)
    found = classification.classify(app, classification.sample_keys(app, count))
    assert {item.status for item in found} == {"FAILED"}


def test_a_test_message_goes_to_the_chosen_channel_alone(serving: App, webhook):
    url, received = webhook
    app = opened(serving, f"json://127.0.0.1:1/ {url}")
    notification.send_test(app, 1)
    assert [message["title"] for message in received] == ["Scones Unlimited: test message"]
    with pytest.raises(Unavailable, match="not sent to json://127.0.0.1"):
        notification.send_test(app, 0)
    app.close()


def test_a_burst_of_failures_is_one_message(serving: App, webhook):
    url, received = webhook
    app = opened(serving, url)
    fail(app, 1)
    assert notification.notify_failures(app) == 0  # what failed before it was switched on is not news
    fail(app, 7)
    assert notification.notify_failures(app) == 7
    assert notification.notify_failures(app) == 0
    assert [message["title"] for message in received] == ["Scones Unlimited: 7 executions failed"]
    assert "7 × THRESHOLD_CONFIDENCE_NOT_MET" in received[0]["message"]
    assert [row["failure"] for row in notification.sent(app)] == [None]
    app.close()


def test_messages_keep_a_pause_between_them(serving: App, webhook):
    app = open_app(Settings(home=serving.settings.home, notify=SecretStr(webhook[0]), notify_seconds=60))
    notification.notify_failures(app)
    fail(app, 1)
    notification.notify_failures(app)
    fail(app, 2)
    assert notification.notify_failures(app) == 0
    assert notification.notify_failures(app, now=datetime.now(UTC) + timedelta(seconds=61)) == 2
    app.close()


def test_a_clock_that_was_ahead_for_a_while_keeps_no_failure_from_being_told(serving: App, webhook):
    app = opened(serving, webhook[0])
    ahead = datetime.now(UTC) + timedelta(days=3)
    notification.notify_failures(app, now=ahead)
    fail(app, 1)
    assert notification.notify_failures(app) == 0  # the clock is right again: from here on
    fail(app, 2)
    assert notification.notify_failures(app) == 2
    app.close()


def test_a_message_that_could_not_be_sent_is_shown_as_such(serving: App):
    app = opened(serving, "json://127.0.0.1:1/")
    notification.notify_failures(app)
    fail(app, 1)
    notification.notify_failures(app)
    [row] = notification.sent(app)
    assert "was not sent to" in row["failure"]
    app.close()


def test_nothing_is_sent_until_a_channel_is_configured(serving: App):
    fail(serving, 1)
    assert notification.notify_failures(serving) == 0
    assert notification.watch(serving) is None


def test_a_channel_is_shown_without_its_secret(app: App):
    other = opened(app, "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general")
    [shown] = notification.channels(other)
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in shown
    other.close()


def test_a_wrong_url_is_refused_by_number_and_not_shown(tmp_path: Path):
    app = open_app(Settings(home=tmp_path / "home", notify=SecretStr("secret-nonsense")))
    with pytest.raises(BadInput, match="URL 1") as error:
        notification.channels(app)
    assert "secret-nonsense" not in str(error.value)
    app.close()
