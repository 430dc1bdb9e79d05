"""Arguments of the `review` commands, and how any command is added to the parser."""

from argparse import ArgumentParser
from typing import Any

from scones_core.domain.review import KINDS, ORDERS, Status, Strategy
from scones_core.services.label_export import FOLDERS, ExportFormat


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
    sub.add_argument("--strategy", choices=[*KINDS, Strategy.LABEL_ERRORS], default=Strategy.LEAST_CONFIDENCE)
    sub.add_argument("--size", type=int, default=100, metavar="N")
    sub.add_argument("--class", dest="predicted", metavar="C", help="only inferences that predict this class")
    sub.add_argument("--reviewers", type=int, default=1, metavar="K", help="reviewers per image")
    sub.add_argument("--by", required=True, metavar="OWNER")
    sub = add_command(review, common, "find", "find images by id, class, reviewer or note", command="review find")
    sub.add_argument("text", metavar="TEXT")
    sub.add_argument("--count", type=int, default=60, metavar="N")
    add_command(review, common, "queues", "list the review queues with their progress", command="review queues")
    _reviewer_commands(review, common)
    sub = add_command(review, common, "export", "write the labels", command="review export")
    add_model(sub)
    sub.add_argument("--format", choices=[*ExportFormat, FOLDERS], required=True)
    sub.add_argument("--out", required=True, metavar="FILE")
    sub.add_argument("--reviewer", metavar="R", help="only this reviewer's labels")
    labelled = [Status.CONFIRMED, Status.RELABELLED, Status.LABELLED]
    sub.add_argument("--status", choices=labelled, help="only labels that agree or disagree with the prediction")
    sub.add_argument("--since", metavar="T", help="only decisions from this time on")
    sub.add_argument("--until", metavar="T", help="only decisions up to this time")
    sub = add_command(review, common, "import", "read labels from a file", command="review import")
    sub.add_argument("file", metavar="FILE", help="augmented manifest, Label Studio JSON, CSV, or zip of class folders")
    sub.add_argument("--reviewer", metavar="R", help="who gave the labels, where the file does not say")


def _reviewer_commands(review: Any, common: ArgumentParser) -> None:
    sub = add_command(review, common, "history", "all predictions and decisions of an image", command="review history")
    sub.add_argument("id", metavar="ID")
    sub = add_command(review, common, "reviewers", "figures per reviewer", command="review reviewers")
    sub.add_argument("--by", required=True, metavar="NAME", help="who asks: an operator sees all")
    add_command(review, common, "totals", "what all reviewers have done together", command="review totals")
    sub = add_command(review, common, "agreement", "agreement of a queue's reviewers", command="review agreement")
    sub.add_argument("queue", type=int, metavar="ID")
    add_command(review, common, "hint", "whether more labels still change predictions", command="review hint")
    sub = add_command(review, common, "classes", "list or settle proposed classes", command="review classes")
    settle = sub.add_mutually_exclusive_group()
    settle.add_argument("--accept", metavar="CLASS")
    settle.add_argument("--decline", metavar="CLASS")
    sub.add_argument("--by", default="command line", metavar="NAME")
    sub = add_command(review, common, "gold", "make a gold image, or set their share", command="review gold")
    sub.add_argument("id", nargs="?", metavar="ID")
    sub.add_argument("label", nargs="?", metavar="LABEL")
    sub.add_argument("--rate", type=float, metavar="P", help="share of gold images among those shown, 0 to 0.5")
    sub.add_argument("--by", default="command line", metavar="NAME")
