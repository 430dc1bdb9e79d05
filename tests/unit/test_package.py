"""What is installed is what the lists of requirements say, and has all that the app needs."""

import tomllib
from pathlib import Path

import pytest

from scones_core import __version__
from scones_core.cli import main

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def wanted(file: str) -> set[str]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / file).read_text("utf-8").splitlines())
    return {line for line in lines if line and not line.startswith("-")}


def test_the_package_requires_what_the_list_of_requirements_has():
    project = PROJECT["project"]
    assert {*project["dependencies"], *project["optional-dependencies"]["aws"]} == wanted("requirements.txt")


def test_the_lock_pins_each_requirement_with_hashes_and_names_no_index():
    lock = (ROOT / "requirements-dev.lock").read_text("utf-8")
    assert "://" not in lock
    pinned = {line.partition("==")[0].lower() for line in lock.splitlines() if "==" in line}
    names = {
        line.partition("[")[0].partition(">")[0].partition("=")[0].lower()
        for file in ("requirements.txt", "requirements-dev.txt")
        for line in wanted(file)
    }
    assert {name.replace("_", "-") for name in names} <= pinned
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_the_wheel_brings_pages_functions_and_theme():
    brought = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert all((ROOT / path).exists() for path in brought)
    assert {"pages", "lambdas", "infra", "streamlit_app.py", ".streamlit/config.toml"} <= set(brought)


def test_the_command_says_its_version(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"scones {__version__}\n"
