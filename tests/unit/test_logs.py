"""What the log says: one line per event, with its ids, and nothing secret."""

import json
from pathlib import Path

import pytest

from scones_core import logs
from scones_core.cli import main
from scones_core.errors import BadInput
from scones_core.services import App, batch, capture, classification, monitoring, review


def lines(home: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (home / logs.FILE).read_text(encoding="utf-8").splitlines()]


def test_an_image_is_followed_from_the_page_to_its_capture_and_decision(serving: App):
    logs.configure(serving.settings.home, as_json=True)
    with logs.about(page="workflow", by="Ada"):
        [found] = classification.classify(serving, classification.sample_keys(serving, 1))
        capture.ingest(serving)
        item = review.next_items(serving, "Ada")[0]
        review.decide(serving, item.id, "bicycle", "Ada")
    said = lines(serving.settings.home)
    started = next(line for line in said if line["event"] == "execution started")
    assert started["execution"] == found.name
    assert (started["page"], started["use_case"]) == ("workflow", "classification.classify")
    assert [line["status"] for line in said if line["event"] == "execution ended"] == ["SUCCEEDED"] or found.error
    decided = next(line for line in said if line.get("use_case") == "review.decide" and line["event"] == "done")
    assert (decided["id"], decided["label"], decided["reviewer"]) == (item.id, "bicycle", "Ada")


def test_what_is_refused_is_logged_with_its_reason(app: App):
    logs.configure(app.settings.home, as_json=True)
    with pytest.raises(BadInput):
        monitoring.set_threshold(app, 7)
    [line] = lines(app.settings.home)
    assert line["level"] == "warning"
    assert line["use_case"] == "threshold.set_threshold"
    assert "7 is out of range" in str(line["error"])


def test_images_bodies_and_secrets_are_not_logged(serving: App, monkeypatch: pytest.MonkeyPatch):
    logs.configure(serving.settings.home)
    capture.ingest_files(serving, [b'{"secret-body": 1}\n'])
    batch.wait(serving, batch.start(serving, sample=2))
    text = (serving.settings.home / logs.FILE).read_text(encoding="utf-8")
    assert "capture.ingest_files" in text
    assert "secret-body" not in text


def test_the_file_is_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs, "MOST_BYTES", 2_000)
    logs.configure(tmp_path)
    for number in range(200):
        logs.get("scones_core.test").info("something happened", number=number)
    files = sorted((tmp_path / "logs").iterdir())
    assert len(files) == logs.KEPT + 1
    assert max(file.stat().st_size for file in files) <= 2_000


def test_a_home_whose_log_cannot_be_written_is_used_without(tmp_path: Path):
    (tmp_path / "logs").write_text("in the way", encoding="utf-8")
    logs.configure(tmp_path)
    logs.get("scones_core.test").info("nothing is lost but this line")


def test_commands_write_to_the_same_log_and_only_errors_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SCONES_LOG_JSON", "true")
    assert main(["--home", str(tmp_path / "home"), "threshold", "--set", "7"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert lines(tmp_path / "home")[-1]["command"] == "threshold"
