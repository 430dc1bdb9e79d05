"""Arguments of the `review` commands, and how any command is added to the parser."""

from argparse import ArgumentParser
from typing import Any

from scones_core.domain.review import ORDERS, Strategy
from scones_core.services.label_export import ExportFormat


def add_command(
    commands: Any, common: ArgumentParser, name: str, does: str, *, command: str | None = None
) -> ArgumentParser:
    sub: ArgumentParser = commands.add_parser(name, help=does, description=does, parents=[common])
    sub.set_defaults(command=command or name)
    return sub


def add_model(sub: ArgumentParser) -> None:
    sub.add_argument("--model", metavar="M", help="only inferences of v1, v2, …, or imported, undecided, unknown")


def add_review(commands: Any, common: ArgumentParser) -> None:
    review = commands.add_parser("review", help="lease, decide, undo, export").add_subparsers(
        required=True, metavar="ACTION"
    )
    sub = add_command(review, common, "next", "lease the next images", command="review next")
    add_model(sub)
    sub.add_argument("--strategy", choices=list(ORDERS), default=Strategy.LEAST_CONFIDENCE)
    sub.add_argument("--queue", type=int, metavar="ID", help="only images of this review queue, in its order")
    sub.add_argument("--count", type=int, default=1, metavar="N")
    sub.add_argument("--reviewer", required=True, metavar="R")
    sub = add_command(
        review,
        common,
        "decide",
        "record a decision; “other”: none of the classes, “skip”: no label",
        command="review decide",
    )
    sub.add_argument("id", metavar="ID")
    sub.add_argument("label", metavar="LABEL")
    sub.add_argument("--reviewer", required=True, metavar="R")
    sub.add_argument("--note", default="", metavar="T")
    sub.add_argument("--key", metavar="K", help="idempotency key")
    sub.add_argument("--queue", type=int, metavar="ID", help="the review queue it was shown in")
    sub = add_command(review, common, "undo", "take the reviewer's last decision back", command="review undo")
    sub.add_argument("id", metavar="ID", nargs="?")
    sub.add_argument("--reviewer", required=True, metavar="R")
    sub = add_command(review, common, "queue", "make a review queue", command="review queue")
    add_model(sub)
    sub.add_argument("name", metavar="NAME")
    kinds = [*ORDERS, Strategy.DISAGREEMENT]
    sub.add_argument("--strategy", choices=kinds, default=Strategy.LEAST_CONFIDENCE)
    sub.add_argument("--size", type=int, default=100, metavar="N")
    sub.add_argument("--class", dest="predicted", metavar="C", help="only inferences that predict this class")
    sub.add_argument("--reviewers", type=int, default=1, metavar="K", help="reviewers per image")
    sub.add_argument("--by", required=True, metavar="OWNER")
    sub = add_command(review, common, "find", "find images by id, class, reviewer or note", command="review find")
    sub.add_argument("text", metavar="TEXT")
    sub.add_argument("--count", type=int, default=60, metavar="N")
    add_command(review, common, "queues", "list the review queues with their progress", command="review queues")
    sub = add_command(review, common, "export", "write the labels", command="review export")
    add_model(sub)
    sub.add_argument("--format", choices=list(ExportFormat), required=True)
    sub.add_argument("--out", required=True, metavar="FILE")
