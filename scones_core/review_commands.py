"""The `review` commands."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from scones_core.cli_output import Document
from scones_core.domain.review import ReviewFilter, Strategy
from scones_core.errors import BadInput
from scones_core.services import App, label_export, queue_making, queues, review, review_search
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


def _queue(app: App, args: Namespace, _terminal: Terminal) -> Document:
    strategy = Strategy(args.strategy)
    filter = ReviewFilter(model=args.model, predicted=args.predicted)
    draft = {"size": args.size, "by": args.by, "filter": filter, "reviewers": args.reviewers}
    return asdict(queues.get(app, queue_making.make(app, args.name, strategy, **draft)))


def _find(app: App, args: Namespace, _terminal: Terminal) -> Document:
    return {"images": [asdict(found) for found in review_search.find(app, args.text, limit=args.count)]}


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
    "review queue": _queue,
    "review queues": _queues,
    "review find": _find,
    "review export": _export,
}
