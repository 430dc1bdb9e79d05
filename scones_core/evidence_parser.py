"""Arguments of the commands on evidence."""

from argparse import ArgumentParser
from typing import Any

from scones_core.domain.audit_draw import AuditKind

MAX_RISK = 0.05


def add(commands: Any, common: ArgumentParser) -> None:
    """Add the commands `threshold`, `audit` and `drift`."""
    sub = _command(commands, common, "threshold", "show, set or suggest the threshold")
    sub.add_argument("--set", type=float, metavar="T")
    sub.add_argument("--max-risk", type=float, metavar="R", help="suggest one: at most R of what is accepted is wrong")
    sub.add_argument("--confidence", type=float, default=0.95, metavar="C")
    sub.add_argument("--take-back", action="store_true", help="return to the threshold before the last change")
    sub.add_argument("--history", action="store_true", help="list the changes: who, when, from what evidence")
    sub = _command(commands, common, "audit", "what an audit says so far; start one, or plan one")
    sub.add_argument("--id", type=int, metavar="ID", help="default: the newest")
    actions = sub.add_subparsers(metavar="ACTION")
    sub = _command(actions, common, "start", "draw captured inferences and queue them for review", of="audit ")
    sub.add_argument("--labels", type=int, required=True, metavar="N")
    sub.add_argument("--kind", choices=list(AuditKind), default=AuditKind.ACCURACY)
    sub.add_argument("--since", metavar="T", help="only inferences since this time")
    sub.add_argument(
        "--max-risk", type=float, default=MAX_RISK, metavar="R", help="what a promise audit is to promise (default .05)"
    )
    sub.add_argument("--reviewer", default="command line", metavar="R", help="owner of the review queue")
    sub.add_argument("--seed", type=int, metavar="N", help="default: random; recorded")
    sub = _command(actions, common, "extend", "draw more of an audit's inferences; its labels still count", of="audit ")
    sub.add_argument("--labels", type=int, required=True, metavar="N", help="how many more")
    sub.add_argument("--id", type=int, metavar="ID", help="default: the newest")
    sub.add_argument("--reviewer", default="command line", metavar="R", help="who extends it")
    sub.add_argument("--seed", type=int, metavar="N", help="default: random; recorded")
    sub = _command(actions, common, "plan", "how many labels an audit needs, or still needs", of="audit ")
    sub.add_argument("--extend", type=int, metavar="ID", help="of this audit, extended; default: of a new one")
    sub.add_argument(
        "--half-width", type=float, default=0.03, metavar="X", help="accuracy to ± X at 95%% (default .03)"
    )
    sub.add_argument("--since", metavar="T", help="only inferences since this time")
    sub = _command(commands, common, "drift", "what the drift watch says; acknowledge its alarm")
    sub.add_argument("--acknowledge", action="store_true", help="take note of the alarm; the watch restarts")
    sub.add_argument("--reviewer", default="command line", metavar="R", help="who acknowledges it")
    sub = _command(commands, common, "model", "a model version with its accuracy and calibration on the test images")
    sub.add_argument("id", nargs="?", metavar="MODEL", help="default: the model in service")
    sub = _command(commands, common, "slices", "where a model is wrong more often than on the rest of its images")
    sub.add_argument("id", nargs="?", metavar="MODEL", help="default: the model in service")
    sub = _command(commands, common, "report", "write the evidence report, one HTML file")
    sub.add_argument("--out", required=True, metavar="FILE")


def _command(commands: Any, common: ArgumentParser, name: str, does: str, *, of: str = "") -> ArgumentParser:
    sub: ArgumentParser = commands.add_parser(name, help=does.replace("%%", "%"), description=does, parents=[common])
    sub.set_defaults(command=of + name)
    return sub
