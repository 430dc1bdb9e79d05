"""`python -m benchmarks NAME [--json] [--data FOLDER] [--runs N]`: runs `benchmarks/NAME.py` and prints its figures."""

import argparse
import importlib
import inspect
import json
import os
import pkgutil
import sys
from typing import Any

import benchmarks
from scones_core.errors import SconesError


def main() -> int:
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name[0] != "_")
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=names)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else")
    parser.add_argument("--data", metavar="FOLDER", help="images with train.lst and test.lst; sets SCONES_DATA")
    parser.add_argument("--runs", type=int, metavar="N", help="number of repetitions of a simulation")
    arguments = parser.parse_args()
    if arguments.data:
        os.environ["SCONES_DATA"] = arguments.data
    try:
        run = importlib.import_module(f"benchmarks.{arguments.name}").run
        if arguments.runs is not None and "runs" not in inspect.signature(run).parameters:
            parser.error(f"{arguments.name} has no simulation: omit --runs")
        if arguments.runs is not None and arguments.runs < 1:
            parser.error("--runs must be at least 1")
        figures = run() if arguments.runs is None else run(arguments.runs)
    except SconesError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    text = json.dumps(figures, indent=1) if arguments.json else "\n".join(_lines(figures))
    sys.stdout.write(text + "\n")
    return 0


def _lines(figures: dict[str, Any], indent: str = "") -> list[str]:
    lines: list[str] = []
    for name, value in figures.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name.replace('_', ' ')}: {_text(value)}")
    return lines


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
