"""The command line: parses arguments, prints text or one JSON document."""

import json
import os
import signal
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from scones_core import __version__, evidence_parser, logs, review_parser
from scones_core.bootstrap import open_app
from scones_core.commands import run
from scones_core.domain.datasets import POOL, TEST
from scones_core.domain.drift import SimulatedDrift
from scones_core.errors import SconesError, of_the_system
from scones_core.review_parser import add_command
from scones_core.services import demo
from scones_core.services.doctor import checks_without_home
from scones_core.settings import FILES, BackendName, Settings
from scones_core.terminal import Terminal

log = logs.get(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 refused or failed; exits with 2 on wrong usage."""
    arguments = parser().parse_args(argv, Namespace(json=False))
    interrupted = _Interrupted()
    signal.signal(signal.SIGTERM, interrupted)
    terminal = Terminal(_to_stderr, interactive=sys.stderr.isatty())
    if arguments.command == "run":
        return _run_app(arguments)
    try:
        result = _result(arguments, terminal)
        print(json.dumps(result, default=_plain) if arguments.json else readable(result))  # noqa: T201
        sys.stdout.flush()
    except SconesError as error:
        _to_stderr(f"error: {' '.join(str(error).split())}\n")
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        log.exception("system error")
        _to_stderr(f"error: {of_the_system(error)}\n")
        return 1
    except BaseException as error:
        if not interrupted.asked and not isinstance(error, KeyboardInterrupt):
            raise
        _to_stderr("error: interrupted; completed work is kept\n")
        return 1
    return 0


def _run_app(arguments: Namespace) -> int:
    """Replace this process by the app; returns only on failure."""
    given = {"home": arguments.__dict__.get("home"), "backend": arguments.__dict__.get("backend")}
    os.environ.update({f"SCONES_{name.upper()}": str(value) for name, value in given.items() if value is not None})
    options = [f"--server.port={arguments.port}", f"--server.headless={str(arguments.headless).lower()}"]
    script = str(FILES / "streamlit_app.py")
    os.execv(
        sys.executable, [sys.executable, "-m", "streamlit", "run", script, *options, "--server.showEmailPrompt=false"]
    )


def _result(arguments: Namespace, terminal: Terminal) -> Mapping[str, Any]:
    try:
        opened = open_app(_settings(arguments))
    except SconesError as error:
        if arguments.command != "doctor":
            raise
        return {"checks": [asdict(check) for check in checks_without_home(error)]}
    with closing(opened) as app, logs.about(command=arguments.command):
        logs.configure(app.settings.home, as_json=app.settings.log_json)
        return run(app, arguments, terminal)


def _settings(arguments: Namespace) -> Settings:
    given = {name: getattr(arguments, name, None) for name in ("home", "backend")}
    return Settings.read(**{name: value for name, value in given.items() if value is not None})


class _Interrupted:
    """Raised on a signal to end the command; libraries may wrap it in their own errors."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, _signal: int, _frame: object) -> None:
        self.asked = True
        raise KeyboardInterrupt


def _to_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def readable(value: Any, indent: str = "") -> str:
    """Any command's result as indented text."""
    if isinstance(value, Mapping):
        return "\n".join(_entry(str(key), entry, indent) for key, entry in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(f"{indent}- {readable(entry, indent + '  ').lstrip()}" for entry in value)
    return f"{indent}{_scalar(value)}"


def _entry(key: str, value: Any, indent: str) -> str:
    if isinstance(value, Mapping | list | tuple) and value and not _flat(value):
        return f"{indent}{key}:\n{readable(value, indent + '  ')}"
    return f"{indent}{key}: {_scalar(value)}"


def _flat(value: Any) -> bool:
    return isinstance(value, list | tuple) and not any(isinstance(v, Mapping | list | tuple) for v in value)


def _scalar(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_scalar(entry) for entry in value) or "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None or value == {} else str(_plain(value) if isinstance(value, datetime) else value)


def parser() -> ArgumentParser:
    """The argument parser; `--home`, `--backend` and `--json` work before or after the command."""
    common = ArgumentParser(add_help=False)
    common.add_argument("--home", type=Path, default=SUPPRESS, help="folder of the embedded backend (default .scones)")
    common.add_argument("--backend", choices=list(BackendName), default=SUPPRESS, help="default embedded")
    common.add_argument("--json", action="store_true", default=SUPPRESS, help="one JSON document on stdout")
    top = ArgumentParser(
        prog="scones",
        description=__doc__,
        parents=[common],
        formatter_class=RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"scones {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _loop_commands(commands, common)
    evidence_parser.add(commands, common)
    review_parser.add_review(commands, common)
    _model_commands(commands, common)
    return top


def _loop_commands(commands: Any, common: ArgumentParser) -> None:
    sub = add_command(commands, common, "run", "open the app in the browser")
    sub.add_argument("--port", type=int, default=8501)
    sub.add_argument("--headless", action="store_true", help="do not open a browser")
    sub = add_command(commands, common, "etl", "extract, transform and load images into a dataset version")
    sub.add_argument(
        "--source",
        required=True,
        help="cifar100, sample, a path to an archive, folder, zip or label file, or s3://… of one",
    )
    sub.add_argument("--classes", help="2 to 20 comma-separated class names")
    sub.add_argument(
        "--pool-share",
        type=float,
        metavar="S",
        help="share of each class's training images to set aside as the pool for classification and review "
        "(default 0.2 for cifar100 and sample, 0 for your own images)",
    )
    sub = add_command(commands, common, "train", "run a training job and evaluate its model")
    sub.add_argument("--dataset", metavar="ID")
    sub.add_argument("--seed", type=int, default=0)
    sub = add_command(commands, common, "register", "register the models of completed jobs, or retry one")
    sub.add_argument("job", nargs="?", metavar="JOB")
    sub = add_command(commands, common, "deploy", "create or update the endpoint")
    sub.add_argument("--model", metavar="ID")
    sub.add_argument("--capture-percentage", type=int, metavar="P")
    sub = add_command(commands, common, "classify", "start one execution per image")
    sub.add_argument("paths", nargs="*", metavar="PATH")
    sub.add_argument(
        "--sample", type=int, metavar="N", help="classify N random images of the pool, or of the test images"
    )
    _add_split(sub)
    sub.add_argument("--workers", type=int, default=4, metavar="W")
    sub = add_command(commands, common, "batch", "classify all images under a prefix in one execution")
    sub.add_argument("--prefix", metavar="KEY", help="default: the pool, or the test images")
    sub.add_argument("--sample", type=int, metavar="N", help="N random images instead")
    _add_split(sub)
    sub = add_command(commands, common, "traffic", "generate test traffic")
    sub.add_argument("--count", type=int, required=True, metavar="N")
    sub.add_argument("--rate", type=float, metavar="R", help="images per second (default: all at once)")
    sub.add_argument("--drift", choices=list(SimulatedDrift), default=SimulatedDrift.NONE)
    sub = add_command(commands, common, "history", "show the events of an execution")
    sub.add_argument("name", metavar="NAME")
    sub = add_command(commands, common, "ingest", "read captured inferences")
    sub.add_argument("paths", nargs="*", metavar="PATH")
    sub.add_argument("--classes", help="class names of the captures in PATH, in the order of their probabilities")
    sub.add_argument("--endpoint", metavar="NAME", help="the endpoint that made the captures in PATH")
    add_command(commands, common, "embed", "embed new images, and compare captured ones with the training images")
    sub = add_command(commands, common, "monitor", "show the figures of the Monitor page")
    sub.add_argument("--since", metavar="T")
    review_parser.add_model(sub)
    sub.add_argument("--threshold", type=float, metavar="T")


def _add_split(sub: ArgumentParser) -> None:
    sub.add_argument("--split", choices=[POOL, TEST], help="default: the pool, or the test images if there is none")


def _model_commands(commands: Any, common: ArgumentParser) -> None:
    sub = add_command(
        commands, common, "retrain", "train a challenger on reviewed labels and compare it with the champion"
    )
    sub.add_argument("--min-labels", type=int, default=1, metavar="N")
    sub.add_argument("--seed", type=int, default=0)
    sub = add_command(commands, common, "promote", "put the challenger, or the named model, into service")
    sub.add_argument("model", nargs="?", metavar="MODEL")
    sub.add_argument("--reason", default="", metavar="TEXT")
    sub = add_command(commands, common, "reject", "reject a model version, so that it is no longer the challenger")
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("--reason", required=True, metavar="TEXT")
    add_command(commands, common, "rollback", "return the previous model to service")
    add_command(commands, common, "undeploy", "delete the endpoint; captures, labels and models are kept")
    sub = add_command(commands, common, "demo", "run the whole loop once with a scripted reviewer")
    sub.add_argument("--source", default="sample")
    sub.add_argument("--images", type=int, default=demo.IMAGES, metavar="N")
    sub.add_argument("--replace", action="store_true", help="replace the model in service and the current dataset")
    add_command(commands, common, "status", "show what exists and the next step")
    add_command(commands, common, "doctor", "check the installation and the configuration")
