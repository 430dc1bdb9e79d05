"""Homes of the unit tests, and what these tell at the end of a run."""

import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner

from scones_core.services import App
from scones_core.ui.shell import chart_theme


@pytest.fixture(autouse=True, scope="session")
def validated_charts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chart_theme, "VALIDATES", True)
        yield


@pytest.fixture(autouse=True, scope="session")
def scan_of_installed_components() -> Iterator[None]:
    """Streamlit reads what is installed for every AppTest, a second each time; once is enough."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture
def show_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Have the pages show the home in a folder of `tmp_path`; their app is closed before the folder goes."""

    def show(home: Path) -> None:
        monkeypatch.setenv("SCONES_HOME", str(home))
        st.cache_resource.clear()

    yield show
    st.cache_resource.clear()


@pytest.fixture
def captured(captured_folder: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    """An app with captured inferences, none of them reviewed."""
    shutil.copytree(captured_folder, tmp_path / "home", symlinks=True)
    return open_home()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many state machines were run by both interpreters."""
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", []) if report.when == "call"]
    cases = [name for name in passed if "asl/test_differential.py" in name and "[" in name]
    if cases:
        departures = sum("moto_departs" in name for name in cases)
        terminalreporter.write_line(
            f"Differential suite: {len(cases)} state machines were run by this interpreter and by moto's; in "
            f"{departures} of them moto departs from AWS, as the suite says. Random machines come on top."
        )
