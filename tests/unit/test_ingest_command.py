"""What the command line makes of the files that it is given."""

import json
import os
from pathlib import Path

import pytest

from scones_core.bootstrap import open_app
from scones_core.cli import main
from scones_core.services import capture
from scones_core.settings import Settings
from tests.unit.test_ingest import line


def test_a_folder_is_read_past_hidden_files_and_dead_links_and_keeps_its_endpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    hour = tmp_path / "captures" / "shop" / "AllTraffic" / "2026" / "01" / "01" / "12"
    (hour / ".ipynb_checkpoints").mkdir(parents=True)
    (hour / "a.jsonl").write_bytes(line("a"))
    (hour / ".ipynb_checkpoints" / "a-checkpoint.jsonl").write_bytes(line("z"))
    (hour / "b.jsonl").symlink_to(hour / "gone.jsonl")
    home = str(tmp_path / "home")
    assert (
        main(["--json", "--home", home, "ingest", str(tmp_path / "captures"), "--classes", "bicycle,motorcycle"]) == 0
    )
    told = capsys.readouterr()
    assert json.loads(told.out)["new"] == 1
    assert "b.jsonl”: a dead link" in told.err
    app = open_app(Settings(home=Path(home)))
    assert capture.inference(app, "a")["endpoint"] == "shop"
    app.close()


def test_a_file_that_is_no_image_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    assert main(["--home", str(tmp_path / "home"), "classify", str(tmp_path / "notes.txt")]) == 1
    assert "“notes.txt”: The file is not a readable PNG" in capsys.readouterr().err


def test_reasons_of_what_was_put_aside_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.jsonl").write_bytes(line("a") + b"x\ny\n")
    assert main(["--home", str(tmp_path / "home"), "ingest", str(tmp_path / "a.jsonl")]) == 0
    assert "      2  not a data-capture record: the line is not valid JSON" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["ingest", "classify"])
def test_what_is_no_file_is_refused_and_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
):
    os.mkfifo(tmp_path / "pipe.jsonl")
    for path in (tmp_path / "pipe.jsonl", Path("/dev/zero"), tmp_path / ("x" * 300)):
        assert main(["--home", str(tmp_path / "home"), command, str(path)]) == 1
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "name a" in told
