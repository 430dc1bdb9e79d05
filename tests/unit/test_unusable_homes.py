"""A home, a database or a setting that cannot be used is one sentence, and `doctor` names the part that is damaged."""

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from scones_core.bootstrap import open_app
from scones_core.cli import main
from scones_core.errors import SconesError, of_the_system
from scones_core.services import App, doctor
from scones_core.settings import Settings
from scones_core.ui.shell.navigation import PageName
from tests.unit.pages.driving import page_of
from tests.waiting import until

Damage = Callable[[Path], object]


def told(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert text.startswith("error: ")
    return text


def a_file(folder: Path) -> Path:
    (folder / "file").write_text("x")
    return folder / "file"


def a_circle(folder: Path) -> Path:
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")
    return folder / "a"


def with_a_file_in(name: str) -> Callable[[Path], Path]:
    def home(folder: Path) -> Path:
        file = folder / "home" / name
        file.parent.mkdir(parents=True)
        file.write_text("x" * 1000)
        return folder / "home"

    return home


@pytest.mark.parametrize(
    "home",
    [
        a_file,
        lambda folder: a_file(folder) / "home",
        lambda folder: folder / ("x" * 300),
        a_circle,
        with_a_file_in("objects"),
        with_a_file_in("training"),
        with_a_file_in("workflows"),
    ],
)
def test_a_home_that_cannot_be_used_is_told_in_a_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    show_home: Callable[[Path], None],
    home: Callable[[Path], Path],
):
    path = home(tmp_path)
    assert main(["status", "--home", str(path)]) == 1
    assert "cannot be" in told(capsys)
    assert main(["doctor", "--home", str(path), "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["python"]["ok"]
    assert not checks["home"]["ok"]
    show_home(path)
    page = page_of(PageName.OVERVIEW)
    assert "cannot be" in page.error[0].value


@pytest.mark.parametrize("name", ["objects", "training", "workflows", "workflows/workflow_owners", "scones.db"])
def test_what_was_opened_of_an_unusable_home_is_closed_again(tmp_path: Path, name: str):
    home, before = with_a_file_in(name)(tmp_path), set(threading.enumerate())
    with pytest.raises(SconesError):
        open_app(Settings(home=home))
    until(lambda: set(threading.enumerate()) <= before)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCONES_DATABASE_URL", "nonsense"),
        ("SCONES_DATABASE_URL", "http://x:secret@y"),
        ("SCONES_DATABASE_URL", "postgresql+psycopg://a:secret@b:notaport/c"),
        ("SCONES_DATABASE_URL", "mysql://a:secret@b/c"),
        ("SCONES_BACKEND", "azure"),
        ("SCONES_NOTIFY_SECONDS", "soon"),
        ("SCONES_LOG_JSON", "perhaps"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    monkeypatch.setenv(name, value)
    assert main(["status", "--home", str(tmp_path / "home")]) == 1
    text = told(capsys)
    assert name in text
    assert "secret" not in text


def cut(name: str) -> Damage:
    def damage(home: Path) -> None:
        [file] = home.rglob(name)
        os.truncate(file, file.stat().st_size // 2)

    return damage


def without_the_table_of_decisions(home: Path) -> None:
    with closing(sqlite3.connect(home / "scones.db")) as connection:
        connection.execute("DROP TABLE decisions")


def a_folder_in_the_place_of(name: str) -> Damage:
    def damage(home: Path) -> None:
        [file] = home.rglob(name)
        file.unlink()
        file.mkdir()

    return damage


def without_test_images(home: Path) -> None:
    shutil.rmtree(home / "objects" / "test")


@pytest.mark.parametrize(
    ("damage", "check", "names"),
    [
        (cut("scones-unlimited.json"), "endpoint", "endpoints/scones-unlimited.json"),
        (a_folder_in_the_place_of("scones-unlimited.json"), "endpoint", "endpoints/scones-unlimited.json"),
        (cut("job.json"), "training", "job.json"),
        (a_folder_in_the_place_of("job.json"), "training", "job.json"),
        (cut("workflow_environment.json"), "workflow", "workflow_environment.json"),
        (without_the_table_of_decisions, "database", "decisions"),
        (without_test_images, "dataset", "test/"),
        (lambda home: [file.write_bytes(b"") for file in home.rglob("datasets/*/train.lst")], "dataset", "train.lst"),
    ],
)
def test_the_doctor_names_what_is_damaged(serving: App, damage: Damage, check: str, names: str):
    damage(serving.settings.home)
    found = {one.name: one for one in doctor.checks(serving)}
    assert not found[check].ok
    assert names in found[check].detail


def test_variables_that_are_damaged_are_whole_again_at_the_next_start(serving: App, open_home: Callable[[], App]):
    cut("workflow_environment.json")(serving.settings.home)
    again = open_home()
    assert again.backend.workflows.environment()["ENDPOINT_NAME"] == serving.settings.endpoint


def test_what_the_system_refuses_is_told_by_the_end_of_the_path():
    told = str(of_the_system(OSError(28, "No space left on device", "/a/b/objects/c.png")))
    assert told == "“objects/c.png” cannot be used (no space left on device): free space on its disk."
    assert str(of_the_system(OSError("odd"))) == "“A file” cannot be used (odd): check it and its disk."
