"""The evidence report: each figure is that of a command, the bytes are those of the state, and nothing is loaded."""

import json
import re
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from scones_core.cli import _plain, parser
from scones_core.commands import run
from scones_core.domain.audit_draw import AuditKind
from scones_core.domain.drift import SimulatedDrift
from scones_core.errors import NotFound
from scones_core.services import App, audit_draws, audits, monitoring, report, review
from scones_core.terminal import Terminal
from tests.conftest import MadeHome
from tests.unit.captured_world import copied
from tests.unit.test_audits import send
from tests.unit.test_drift_watch import send as send_drifted


class Figures(HTMLParser):
    """(command, key, value) of each figure, and the addresses of everything that a browser would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, Any]] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "data-command" in given:
            self.found.append((given["data-command"], given["data-key"], json.loads(given["data-value"])))
        self.loaded += [given[name] for name in ("src", "href") if name in given]


def answer(app: App, command: str) -> Any:
    """The JSON document that a command prints."""
    arguments = parser().parse_args([*shlex.split(command), "--json"])
    document = run(app, arguments, Terminal(lambda _text: None, interactive=False))
    return json.loads(json.dumps(document, default=_plain))


def at(document: Any, key: str) -> Any:
    for part in key.split("."):
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _told(app: App) -> None:
    send(app, 60)
    send_drifted(app, 40, SimulatedDrift.DARK)
    audit = audit_draws.start(app, 40, by="ann", seed=1)
    for _ in range(25):
        [item] = review.next_items(app, "ann", queue=audit.queue)
        review.decide(app, item.id, item.prediction, "ann", queue=audit.queue)
    audit_draws.start(app, 10, kind=AuditKind.PROMISE, max_risk=0.4, by="ann", seed=1)
    monitoring.set_threshold(app, 0.9, actor="ann", evidence={"about": "test images"})


@pytest.fixture(scope="session")
def told_home(trained_home: Path, made_home: MadeHome) -> Path:
    """Traffic, then the dark; an audit half done, a promise audit, and a threshold that was set."""
    return made_home("told", _told, trained_home)


@pytest.fixture
def told(told_home: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    copied(told_home, tmp_path)
    return open_home()


def test_each_figure_is_that_of_the_command_that_it_names(told: App):
    figures = Figures(report.report(told).decode()).found
    commands = {command: answer(told, command) for command in {command for command, _, _ in figures}}
    assert len(commands) >= 6
    assert len(figures) >= 50
    for command, key, value in figures:
        assert at(commands[command], key) == value, f"{command} {key}"


def test_the_same_state_gives_the_same_bytes_and_another_state_others(told: App, open_home: Callable[[], App]):
    first = report.report(told)
    assert report.report(open_home()) == first
    queue = audits.listed(told)[0].audit.queue
    [item] = review.next_items(told, "ann", queue=queue)
    review.decide(told, item.id, item.prediction, "ann", queue=queue)
    assert report.report(told) != first


def test_the_report_needs_no_network_and_is_small(told: App):
    data = report.report(told)
    found = Figures(data.decode())
    assert found.loaded
    assert all(address.startswith("data:image/png;base64,") for address in found.loaded)
    assert not re.search(rb"https?://|@import|url\(|<script", data)
    assert len(data) < 2_000_000


def test_a_drift_alarm_is_shown_with_its_pictures_and_what_to_do(told: App):
    text = report.report(told).decode()
    assert text.count("<img") == 16
    assert "brightness" in text
    assert "audit about 100 of them" in text
    assert "Answer the 15 remaining images of audit 1" in text
    assert "expected from confidences alone" not in text


def test_without_an_audit_the_report_says_that_accuracy_in_production_is_not_known(serving: App):
    send(serving, 30)
    text = report.report(serving).decode()
    assert "No audit yet: accuracy in production is not known." in text
    assert "Start an audit of about 100 labels" in text
    assert "expected from confidences alone" in text


def test_every_sentence_with_a_figure_of_the_home_names_its_command(told: App):
    text = report.report(told).decode()
    for sentence in re.findall(r"<(?:p|li)(?: class=\"alarm\")?>([^\n]*?)</(?:p|li)>", text):
        said = sentence.replace("5%", "").replace("5%", "").replace("5 in 100", "").replace("about 100", "")
        if re.search(r"\d", said):
            assert 'class="source">scones ' in sentence, sentence


def test_weak_slices_and_the_reviewers_work_are_part_of_it(told: App):
    found = {(command, key) for command, key, _ in Figures(report.report(told).decode()).found}
    assert {("slices", "test_images"), ("review totals", "decisions"), ("review totals", "seconds")} <= found
    assert answer(told, "review totals")["decisions"] == 25


def test_names_are_shown_as_text(told: App):
    monitoring.set_threshold(told, 0.91, actor="<script>alert(1)</script>")
    text = report.report(told).decode()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_without_a_model_there_is_no_report(app: App):
    with pytest.raises(NotFound, match="No model is deployed"):
        report.report(app)


def test_the_command_writes_it(told: App, tmp_path: Path):
    out = tmp_path / "evidence.html"
    said = answer(told, f"report --out {out}")
    assert said["bytes"] == out.stat().st_size
    assert out.read_bytes() == report.report(told)
