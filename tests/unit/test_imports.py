"""Layers stay layers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = sorted((ROOT / "lambdas").glob("*/handler.py"))
VIEW = [ROOT / "streamlit_app.py", *sorted((ROOT / "pages").glob("*.py"))]


def imported(path: Path) -> set[str]:
    """Every module a file imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_function_deploys_as_it_lies(path: Path):
    allowed = {*sys.stdlib_module_names, "boto3", "botocore"}
    assert {name.partition(".")[0] for name in imported(path)} <= allowed


@pytest.mark.parametrize("path", VIEW, ids=lambda path: path.stem)
def test_a_page_reaches_for_use_cases_and_nothing_below(path: Path):
    below = (
        "boto3",
        "sqlalchemy",
        "sqlite3",
        "json",
        "pathlib",
        "scones_core.db",
        "scones_core.local",
        "scones_core.aws",
    )
    assert not [name for name in imported(path) if name.startswith(below)]


@pytest.mark.parametrize("path", VIEW, ids=lambda path: path.stem)
def test_a_page_stays_short(path: Path):
    assert len(path.read_text().splitlines()) <= 120


def test_opening_the_embedded_backend_imports_no_aws_library(tmp_path: Path):
    code = (
        "import sys; from scones_core.bootstrap import open_app; from scones_core.settings import Settings;"
        f"open_app(Settings(home={str(tmp_path)!r})).close();"
        "print([m for m in ('sagemaker', 'boto3', 'botocore', 'streamlit') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
