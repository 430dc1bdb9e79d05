"""Layers stay layers."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import grimp
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


SHARED = {"errors", "logs", "settings", "bounded_map", "file_lock", "named_files"}


def layers() -> dict[str, set[str]]:
    """Package → packages it may import, from the table in docs/architecture.md; those of one row import each other."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        cells = [set(re.findall(r"`([a-z_]+)`", cell)) for cell in line.split("|")]
        if line.startswith("| ") and len(cells) == 6:
            found |= dict.fromkeys(cells[2], cells[3] | cells[2])
    return found


def test_the_map_of_the_architecture_is_the_import_graph():
    graph = grimp.build_graph("scones_core")
    drawn = layers()
    imports: dict[str, set[str]] = {name: set() for name in drawn}
    for module in graph.modules:
        of = module.split(".")[1] if "." in module else "__main__"
        if of in SHARED | {"__main__"}:
            continue
        for other in graph.find_modules_directly_imported_by(module):
            if "." in other:
                imports[of].add(other.split(".")[1])
    found = {name: named - SHARED - {name} for name, named in imports.items()}
    assert {name: named - drawn[name] for name, named in found.items() if named - drawn[name]} == {}
    rows = {frozenset(name for name in drawn if drawn[name] == allowed): allowed for allowed in drawn.values()}
    unused = [
        (sorted(packages), allowed - packages - set().union(*(found[name] for name in packages)))
        for packages, allowed in rows.items()
    ]
    assert [row for row in unused if row[1]] == []


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


UI = ROOT / "scones_core" / "ui"


def test_each_page_has_its_folder_and_what_several_share_is_in_the_shell():
    folders = {path.name for path in UI.iterdir() if path.is_dir() and path.name != "__pycache__"}
    pages = {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert folders == {*pages, "shell"}
    assert [path.name for path in UI.glob("*.py")] == ["__init__.py"]
    for folder in pages:
        others = tuple(f"scones_core.ui.{other}." for other in pages - {folder})
        for file in [*(UI / folder).rglob("*.py"), ROOT / "pages" / f"{folder}.py"]:
            assert not [name for name in imported(file) if name.startswith(others)], file


def test_no_file_is_long():
    folders = ("scones_core", "pages", "lambdas", "benchmarks", "tests", "docs")
    files = [path for name in folders for path in (ROOT / name).rglob("*") if path.suffix in {".py", ".js", ".css"}]
    assert not [path for path in files if len(path.read_text().splitlines()) > 300]


def test_no_module_imports_itself_in_a_circle():
    names = {_module(path): path for path in (ROOT / "scones_core").rglob("*.py")}
    leads = {name: _within(path, names) for name, path in names.items()}
    circles = [cycle for name in leads if (cycle := _circle(name, leads))]
    assert not circles


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _within(path: Path, names: dict[str, Path]) -> set[str]:
    """The modules of the project that a file imports anywhere in it, also where only the type checker looks."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {name if (name := f"{node.module}.{alias.name}") in names else node.module for alias in node.names}
    return (found & set(names)) - {_module(path)}


def _circle(start: str, leads: dict[str, set[str]]) -> list[str]:
    """The way from a module back to itself; empty where there is none."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        for name in leads[way[-1]]:
            if name == start:
                return [*way, start]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def test_a_class_name_stands_for_one_thing():
    found: dict[str, list[str]] = {}
    for path in (ROOT / "scones_core").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(_module(path))
    assert not {name: modules for name, modules in found.items() if len(modules) > 1}
