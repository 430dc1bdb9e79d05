"""The stages of the guided demo, each with the picture or figures that prove it."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import streamlit as st

from scones_core.domain.datasets import DatasetVersion
from scones_core.domain.models import ModelVersion
from scones_core.ports import Endpoint
from scones_core.services import App, etl, training
from scones_core.services.capture import Ingested
from scones_core.services.classification import Classified
from scones_core.services.demo import Stage
from scones_core.services.monitoring import Figures
from scones_core.services.retraining import Retrained
from scones_core.services.standing_labels import Recorded
from scones_core.ui.overview.demo_runner import TITLES, Story
from scones_core.ui.shell.comparison import comparison_view
from scones_core.ui.shell.confidence_chart import confidence_histogram
from scones_core.ui.shell.images import Tile, captured_image, tiles
from scones_core.ui.shell.model_charts import figures, metric_curve
from scones_core.ui.shell.task_progress import show_progress
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.training_log import show_log
from scones_core.ui.shell.widgets import generated_badge, interval_text, percent

State = Literal["running", "complete", "error"]

SHOWN = 20  # most tiles of a stage


def show_stage(app: App, story: Story, stage: Stage) -> None:
    ended = story.ended(stage)
    state: State = "complete" if ended else "error" if story.error else "running"
    box = st.status(_label(story, stage), state=state, expanded=_expanded(story, stage), type="step")
    with box.container():  # not `with box`, which would call every stage complete
        if ended:
            _SHOW[stage](app, story.result(stage))
        elif story.error:
            st.write(plain(story.error))
        else:
            _at_work(app, story, stage)


def _expanded(story: Story, stage: Stage) -> bool:
    """The most informative stages; during a demo also the running stage and the two before it."""
    recent = story.running and list(Stage).index(stage) >= len(story.results) - 2
    return recent or stage in (Stage.CLASSIFY, Stage.MONITOR, Stage.REVIEW, Stage.RETRAIN) or not story.ended(stage)


def _label(story: Story, stage: Stage) -> str:
    if not story.ended(stage):
        return f"**{TITLES[stage]}** …"
    return f"**{TITLES[stage]}** · {_SAY[stage](story.result(stage))}"


def _at_work(app: App, story: Story, stage: Stage) -> None:
    log = list(story.log.get(stage, ()))
    if log:
        if metrics := _metrics(app):
            metric_curve(metrics, key=f"demo_live_{stage}", height=215)
        show_log(log, last=4)
    elif stage in (Stage.TRAIN, Stage.RETRAIN):
        st.caption("Starting the training job…")
    elif story.task:
        show_progress(story.task)


def _metrics(app: App) -> Sequence[tuple[float, str, float]]:
    running = next((job.name for job in training.jobs(app) if not job.status.ended), None)
    return training.job(app, running).metrics if running else ()


def _show_dataset(app: App, version: DatasetVersion) -> None:
    generated_badge(version)
    images = etl.images(app, version.id, "test")[:: max(1, version.test // 10)][:10]
    names = [version.classes[image.class_index] for image in images]
    tiles(app, [Tile(i.key, i.sha256, plain(n), f"{n}, {i.key}") for i, n in zip(images, names, strict=True)])


def _show_model(_app: App, model: ModelVersion) -> None:
    figures(model.metrics)


def _show_endpoint(_app: App, endpoint: Endpoint) -> None:
    st.caption(
        f"`{endpoint.name}` is {endpoint.status}, variant {endpoint.config.variant}, and captures "
        f"{endpoint.config.capture_percentage}% of its inferences."
    )


def _show_classified(app: App, results: Sequence[Classified]) -> None:
    """The least confident first: the loop is about those."""
    ordered = sorted(results, key=lambda result: (result.confidence is not None, result.confidence or 0.0))
    step = max(1, len(ordered) // SHOWN)
    shown = [
        Tile(r.image, r.image, f"{plain(r.prediction or '?')}  \n{_mark(r)} {percent(r.confidence, 0)}", _alt(r))
        for r in ordered[::step][:SHOWN]
    ]
    tiles(app, shown)
    st.caption(":material/flag: at or below the threshold: the execution failed and the image is queued for review.")


def _mark(result: Classified) -> str:
    return ":material/flag:" if result.error else ":material/check:"


def _alt(result: Classified) -> str:
    said = f"{result.prediction} with confidence {percent(result.confidence, 0)}" if result.prediction else "no answer"
    return f"{result.image}: {said}, execution {result.status}"


def _show_ingested(_app: App, ingested: Ingested) -> None:
    st.caption(f"{ingested.duplicates} seen before, {ingested.quarantined} unreadable.")


def _show_monitored(_app: App, seen: Figures) -> None:
    confidence_histogram(seen.histogram, seen.threshold, key="demo_histogram", height=190)


def _show_reviewed(app: App, recorded: Sequence[Recorded]) -> None:
    grid = st.grid(10, min_column_width=80, gap=10)
    for each in list(recorded)[:SHOWN]:
        label = each.label or "skipped"
        with grid.container(gap="xsmall"):
            captured_image(app, each.id, width=80, alt=f"Reviewed image, label {label}")
            st.caption(f"{plain(label)}  \n{each.status}")


def _show_retrained(_app: App, retrained: Retrained) -> None:
    comparison_view(
        retrained.comparison,
        retrained.champion.id,
        retrained.challenger.id,
        key="demo_comparison",
        test_set=retrained.dataset.test_set,
    )


_SHOW: dict[Stage, Callable[[App, Any], None]] = {
    Stage.ETL: _show_dataset,
    Stage.TRAIN: _show_model,
    Stage.DEPLOY: _show_endpoint,
    Stage.CLASSIFY: _show_classified,
    Stage.INGEST: _show_ingested,
    Stage.MONITOR: _show_monitored,
    Stage.REVIEW: _show_reviewed,
    Stage.RETRAIN: _show_retrained,
    Stage.PROMOTE: _show_endpoint,
}

_SAY: dict[Stage, Callable[[Any], str]] = {
    Stage.ETL: lambda v: f"{v.train:,} train, {v.pool:,} pool and {v.test:,} test images of {len(v.classes)} classes",
    Stage.TRAIN: lambda m: f"{m.id}, accuracy {percent(m.accuracy.value)} {interval_text(m.accuracy)}",
    Stage.DEPLOY: lambda e: f"{e.name} serves {e.config.model}",
    Stage.CLASSIFY: lambda r: f"{len(r)} executions, {sum(c.error is not None for c in r)} low-confidence",
    Stage.INGEST: lambda i: f"{i.new} new inferences",
    Stage.MONITOR: lambda f: f"{percent(f.low_share, 0)} at or below the threshold {f.threshold:.2f}",
    Stage.REVIEW: lambda r: f"{len(r)} decisions, {sum(d.status == 'relabelled' for d in r)} corrections",
    Stage.RETRAIN: lambda r: f"{r.challenger.id} from {r.new_labels} new labels: {r.comparison.verdict}",
    Stage.PROMOTE: lambda e: f"{e.config.model} is in service",
}
