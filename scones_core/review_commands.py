"""The `review` commands."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from scones_core.cli_output import Document, time_of
from scones_core.domain.review import ReviewFilter, Status, Strategy
from scones_core.errors import BadInput, Conflict
from scones_core.services import (
    App,
    class_proposals,
    gold,
    label_export,
    label_import,
    queue_making,
    queues,
    review,
    review_search,
    reviewers,
    stopping,
)
from scones_core.services.label_export import FOLDERS, LabelFilter
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


def _history(app: App, args: Namespace, _terminal: Terminal) -> Document:
    return asdict(review_search.image_history(app, args.id))


def _reviewers(app: App, args: Namespace, _terminal: Terminal) -> Document:
    return {"reviewers": [asdict(one) for one in reviewers.figures(app, args.by)]}


def _totals(app: App, _args: Namespace, _terminal: Terminal) -> Document:
    return asdict(reviewers.totals(app))


def _agreement(app: App, args: Namespace, _terminal: Terminal) -> Document:
    found = reviewers.agreement(app, args.queue)
    pairs = [{"reviewers": list(pair), "images": n, "kappa": kappa} for pair, (n, kappa) in found.kappas.items()]
    return {
        "images": found.images,
        "agreed": found.agreed,
        "alpha": found.alpha,
        "fleiss": found.fleiss,
        "pairs": pairs,
    }


def _hint(app: App, _args: Namespace, _terminal: Terminal) -> Document:
    found = stopping.hint(app)
    if found is None:
        return {"stop": False, "steps": []}
    return {
        "stop": found.stop,
        "model": found.model,
        "confirmed": found.confirmed,
        "judged": found.judged,
        "steps": [asdict(step) for step in found.steps],
    }


def _classes(app: App, args: Namespace, _terminal: Terminal) -> Document:
    if (args.accept or args.decline) and not reviewers.is_operator(app, args.by):
        raise Conflict(f"{args.by} is not an operator: ask one of those whom SCONES_OPERATORS names.")
    if args.accept:
        class_proposals.accept(app, args.accept, args.by)
    if args.decline:
        class_proposals.decline(app, args.decline, args.by)
    return {"proposed": [asdict(one) for one in class_proposals.proposed(app)]}


def _gold(app: App, args: Namespace, _terminal: Terminal) -> Document:
    if (args.id is None) != (args.label is None):
        raise BadInput("A gold image needs the id of an inference and its label.")
    if not reviewers.is_operator(app, args.by):
        raise Conflict(f"{args.by} is not an operator: ask one of those whom SCONES_OPERATORS names.")
    if args.id is not None:
        gold.set_gold(app, args.id, args.label, args.by)
    if args.rate is not None:
        gold.set_rate(app, args.rate, args.by)
    return {"rate": gold.rate(app), "id": args.id, "label": args.label}


def _export(app: App, args: Namespace, _terminal: Terminal) -> Document:
    since, until = (time_of(text) for text in (args.since, args.until))
    status = Status(args.status) if args.status else None
    filter = LabelFilter(args.model, args.reviewer, status, since, until)
    if args.format == FOLDERS:
        data, rows = label_export.folders(app, filter)
    else:
        text, rows = label_export.export(app, label_export.ExportFormat(args.format), filter=filter)
        data = text.encode()
    try:
        Path(args.out).write_bytes(data)
    except OSError as error:
        raise BadInput(f"“{args.out}” cannot be written ({error.strerror}): name another file with --out.") from None
    return {"rows": rows, "file": args.out}


def _import(app: App, args: Namespace, _terminal: Terminal) -> Document:
    return asdict(label_import.import_labels(app, Path(args.file), reviewer=args.reviewer))


COMMANDS: dict[str, Callable[[App, Namespace, Terminal], Document]] = {
    "review next": _next,
    "review decide": _decide,
    "review undo": _undo,
    "review queue": _queue,
    "review queues": _queues,
    "review find": _find,
    "review history": _history,
    "review reviewers": _reviewers,
    "review totals": _totals,
    "review agreement": _agreement,
    "review hint": _hint,
    "review classes": _classes,
    "review gold": _gold,
    "review export": _export,
    "review import": _import,
}
