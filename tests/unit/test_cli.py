"""The command line as scripts use it: exit status, one JSON document, one line of error."""

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scones_core.cli import main, parser
from scones_core.commands import COMMANDS
from tests.conftest import png, write_images
from tests.unit.test_ingest import line
from tests.waiting import until


@pytest.fixture
def home(trained_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained_home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command with --json and return its document."""

    def run(home: Path, *arguments: object) -> Any:
        status = main(["--home", str(home), *map(str, arguments), "--json"])
        shown = capsys.readouterr()
        assert status == 0, shown.err
        assert shown.out.count("\n") == 1
        return json.loads(shown.out)

    return run


def test_the_loop_by_commands(home: Path, call: Callable[..., Any], tmp_path: Path):
    classified = call(home, "classify", "--sample", 12)
    assert len(classified["executions"]) == 12
    assert classified["succeeded"] + classified["failed"] == 12
    events = call(home, "history", classified["executions"][0]["name"])["events"]
    assert events[0]["type"] == "ExecutionStarted"
    ingested = call(home, "ingest")
    assert (ingested["new"], ingested["duplicates"], ingested["quarantined"]) == (12, 0, 0)
    assert call(home, "monitor", "--threshold", "1")["low_confidence"] == 12
    items = call(home, "review", "next", "--reviewer", "ann", "--count", 3)["items"]
    assert items[0]["confidence"] <= items[1]["confidence"]
    for item in items:
        decided = call(home, "review", "decide", item["id"], "bicycle", "--reviewer", "ann", "--key", item["id"])
        assert decided["revision"] == 1
    assert call(home, "review", "undo", "--reviewer", "ann")["status"] == "pending"
    out = tmp_path / "labels.manifest"
    assert call(home, "review", "export", "--format", "manifest", "--out", out)["rows"] == 2
    assert len(out.read_text().splitlines()) == 2
    retrained = call(home, "retrain")
    assert retrained["new_labels"] == 2
    assert set(retrained["comparison"]) >= {"accuracy", "p_value", "difference_interval", "verdict"}
    assert call(home, "promote")["previous"] == "v1"
    assert call(home, "rollback") == {**call(home, "deploy", "--model", "v1"), "previous": "v2"}
    assert call(home, "status")["champion"] == "v1"
    assert call(home, "undeploy") == {"endpoint": None, "previous": "v1"}
    assert call(home, "status")["champion"] is None


def test_etl_names_what_it_skipped(tmp_path: Path, call: Callable[..., Any]):
    folder = write_images(tmp_path / "images", train=2, test=1)
    (folder / "train" / "bicycle" / "broken.png").write_bytes(b"no image")
    found = call(tmp_path / "home", "etl", "--source", folder)
    assert (found["train"], found["test"], found["classes"]) == (4, 2, ["bicycle", "motorcycle"])
    assert [skip["name"] for skip in found["skipped"]] == ["train/bicycle/broken.png"]


def test_images_from_disk_are_uploaded_and_classified(home: Path, call: Callable[..., Any], tmp_path: Path):
    picture = tmp_path / "my bike.png"
    picture.write_bytes(png(99, upright=True))
    [execution] = call(home, "classify", picture)["executions"]
    assert execution["image"].startswith("uploads/")
    assert execution["prediction"] == "bicycle"


def test_capture_files_from_elsewhere_are_ingested_once(home: Path, call: Callable[..., Any], tmp_path: Path):
    (tmp_path / "captured").mkdir()
    (tmp_path / "captured" / "a.jsonl").write_bytes(line("x") + line("y"))
    assert call(home, "ingest", tmp_path / "captured")["new"] == 2
    assert call(home, "ingest", tmp_path / "captured")["duplicates"] == 2


def test_reviewers_work_by_commands(home: Path, call: Callable[..., Any], tmp_path: Path):
    captures = tmp_path / "a.jsonl"
    captures.write_bytes(b"".join(line(id, image=png(n, upright=True)) for n, id in enumerate("abcd")))
    call(home, "ingest", captures, "--classes", "bicycle,motorcycle")
    made = call(home, "review", "queue", "Ours", "--size", 3, "--reviewers", 2, "--by", "op")
    assert made["progress"] == {"size": 3, "decided": 0}
    for who, labels in {"ann": ["bicycle", "bicycle"], "bob": ["bicycle", "motorcycle"]}.items():
        for label in labels:
            [item] = call(home, "review", "next", "--queue", made["id"], "--reviewer", who)["items"]
            assert item["why"].startswith("Least confident")
            call(home, "review", "decide", item["id"], label, "--reviewer", who, "--queue", made["id"])
    assert call(home, "review", "queues")["queues"][0]["progress"]["decided"] == 2
    agreement = call(home, "review", "agreement", made["id"])
    assert (agreement["images"], agreement["agreed"], agreement["pairs"][0]["reviewers"]) == (2, 1, ["ann", "bob"])
    assert [row["decisions"] for row in call(home, "review", "reviewers", "--by", "op")["reviewers"]] == [2, 2]
    assert call(home, "review", "gold", "d", "bicycle", "--rate", 0.2)["rate"] == 0.2
    assert call(home, "review", "find", "d")["images"]
    assert len(call(home, "review", "history", "a")["decisions"]) == 2
    assert call(home, "review", "classes")["proposed"] == []
    out = tmp_path / "labels.csv"
    assert call(home, "review", "export", "--format", "csv", "--reviewer", "ANN", "--out", out)["rows"] == 1
    again = call(home, "review", "import", out)
    assert (again["new"], again["known"], again["refused"]) == (0, 1, [])
    assert call(home, "review", "export", "--format", "folders", "--out", tmp_path / "x.zip")["rows"] == 1


def test_a_threshold_is_proposed_set_and_shown(home: Path, call: Callable[..., Any]):
    assert call(home, "threshold", "--set", "0.7")["threshold"] == 0.7
    shown = call(home, "threshold")
    assert set(shown) == {"threshold", "coverage", "risk", "risk_upper_bound", "labels_used"}
    assert call(home, "threshold", "--max-risk", "0.5", "--confidence", "0.9")["risk_upper_bound"] <= 0.5


def test_doctor_finds_a_healthy_home(home: Path, call: Callable[..., Any]):
    assert all(check["ok"] for check in call(home, "doctor")["checks"])


def test_a_command_ends_the_threads_that_it_began(home: Path, call: Callable[..., Any]):
    before = set(threading.enumerate())
    call(home, "classify", "--sample", 2)
    until(lambda: set(threading.enumerate()) <= before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "load a dataset first"),
        (["classify"], "Nothing to classify"),
        (["classify", "nowhere.png"], "cannot be read"),
        (["history", "nope"], "No execution"),
        (["monitor", "--since", "yesterday"], "is not a time"),
        (["threshold", "--set", "1.5"], "0.93"),
        (["promote"], "No challenger"),
        (["etl", "--source", "nowhere"], "nowhere"),
        (["--backend", "aws", "status"], "No AWS region"),
    ],
)
def test_a_refusal_is_one_line_and_exit_status_1(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert main(["--home", str(tmp_path / "home"), *arguments]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert message in shown.err


def test_wrong_usage_is_exit_status_2(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit:
        main(["fly"])
    assert exit.value.code == 2


def test_text_for_people_without_json(home: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--home", str(home), "status"]) == 0
    assert "champion: v1" in capsys.readouterr().out


def test_every_command_is_on_the_command_line_and_in_the_manual():
    shown = parser().format_help()
    manual = (Path(__file__).resolve().parents[2] / "docs" / "command-line.md").read_text()
    for name in COMMANDS:
        assert name.split()[0] in shown
        assert f"`{name}" in manual, f"docs/command-line.md does not tell of {name}"


def test_an_interrupted_command_leaves_a_home_that_the_next_one_continues_from(tmp_path: Path):
    """SIGTERM in the middle of the demo, while a training job runs."""
    home, root = tmp_path / "home", Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "scones_core", "--home", str(home)]
    with subprocess.Popen([*command, "demo"], cwd=root, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("etl done"):
                running.send_signal(signal.SIGTERM)
        assert running.wait() == 1
    assert "error: interrupted" in line
    status = subprocess.run([*command, "status", "--json"], cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(status.stdout)["dataset"]
    trained = subprocess.run([*command, "train", "--json"], cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(trained.stdout)["status"] == "Completed"
