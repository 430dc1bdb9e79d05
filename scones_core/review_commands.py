"""The `review` commands."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from scones_core.cli_output import Document
from scones_core.domain.review import Strategy
from scones_core.errors import BadInput
from scones_core.services import App, label_export, queues, review
from scones_core.terminal import Terminal


def _next(app: App, args: Namespace, _terminal: Terminal) -> Document:
    strategy = Strategy(args.strategy)
    items = review.next_items(
        app, args.reviewer, strategy=strategy, count=args.count, model=args.model, queue=args.queue
    )
    return {"items": [asdict(item) for item in items]}


def _decide(app: App, args: Namespace, _terminal: Terminal) -> Document:
    draft = {"note": args.note, "key": args.key, "queue": args.queue}
    return asdict(review.decide(app, args.id, args.label, args.reviewer, **draft))


def _undo(app: App, args: Namespace, _terminal: Terminal) -> Document:
    return asdict(review.undo(app, args.reviewer, id=args.id))


def _queues(app: App, _args: Namespace, _terminal: Terminal) -> Document:
    return {"queues": [asdict(queue) for queue in queues.queues(app)]}


def _export(app: App, args: Namespace, _terminal: Terminal) -> Document:
    text, rows = label_export.export(app, label_export.ExportFormat(args.format), model=args.model)
    try:
        Path(args.out).write_text(text)
    except OSError as error:
        raise BadInput(f"“{args.out}” cannot be written ({error.strerror}): name another file with --out.") from None
    return {"rows": rows, "file": args.out}


COMMANDS: dict[str, Callable[[App, Namespace, Terminal], Document]] = {
    "review next": _next,
    "review decide": _decide,
    "review undo": _undo,
    "review queues": _queues,
    "review export": _export,
}
