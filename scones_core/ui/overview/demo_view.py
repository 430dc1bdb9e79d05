"""The guided demo: its start form, and its stages."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import streamlit as st

from scones_core.domain.datasets import DatasetVersion
from scones_core.domain.models import ModelVersion
from scones_core.ports import Endpoint
from scones_core.services import App, deployment, etl, training
from scones_core.services.capture import Ingested
from scones_core.services.classification import Classified
from scones_core.services.demo import Stage
from scones_core.services.monitoring import Figures
from scones_core.services.retraining import Retrained
from scones_core.services.review import Recorded
from scones_core.ui.overview.demo_runner import MOST_IMAGES, Story, get_demo
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.comparison import comparison_view
from scones_core.ui.shell.images import Tile, captured_image, tiles
from scones_core.ui.shell.model_charts import confidence_histogram, figures, metric_curve
from scones_core.ui.shell.source_input import Chosen, source_input
from scones_core.ui.shell.task_progress import show_progress
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.training_log import show_log
from scones_core.ui.shell.widgets import generated_badge, interval_text, percent

State = Literal["running", "complete", "error"]

EVERY = 0.7  # seconds between updates
HEIGHT = 395  # pixels of a running demo; with the strip above it fills a screen of 900
SHOWN = 20  # most tiles of a stage

_TITLES = {
    Stage.ETL: "Load images",
    Stage.TRAIN: "Train a first model",
    Stage.DEPLOY: "Deploy it to the endpoint",
    Stage.CLASSIFY: "Classify pool images with the workflow",
    Stage.INGEST: "Read what the endpoint captured",
    Stage.MONITOR: "Check the confidences",
    Stage.REVIEW: "Review the least confident images",
    Stage.RETRAIN: "Retrain with the reviewed labels, and compare",
    Stage.PROMOTE: "Promote the challenger",
}


def running_demo(app: App) -> None:
    """The running demo, if any; scrolls to the newest stage."""
    story = get_demo().story
    if story is None or not story.running:
        return
    told = len(story.told)
    with st.container(border=True):
        _headline(story)
        with st.container(height=HEIGHT, border=False, autoscroll=True):
            for stage in list(Stage)[:told]:
                _stage(app, story, stage)
            st.fragment(run_every=EVERY)(_stage_at_work)(app, story, told)


def _stage_at_work(app: App, story: Story, told: int) -> None:
    """The only part that is refreshed periodically; when its stage ends, the page reruns."""
    if told != len(story.told) or story.current is None:
        st.rerun()
    _stage(app, story, story.current)


def demo_section(app: App) -> None:
    """What the demo is, and its start form."""
    with st.container(border=True):
        st.subheader("Guided demo", anchor=False)
        st.markdown(
            "Watch the whole loop run: load, train, deploy, classify, monitor, review, retrain, compare, promote. A "
            "scripted reviewer labels the images from the known answers."
        )
        demo_controls(app)


def demo_controls(app: App) -> None:
    """Source, length and the button that starts the demo."""
    with st.expander("Choose source and length", icon=":material/tune:"):
        chosen = source_input(key="demo", kinds=("sample", "cifar100", "path"), pool=False)
        images = st.slider("Images to classify", 20, MOST_IMAGES, 60, step=20, key="demo_images")
    with st.container(horizontal=True, vertical_alignment="center"):
        _start_button(app, chosen, images, disabled=demo_is_running() or bool(chosen.missing))
        st.caption("It loads a dataset and deploys its own model. It keeps running if you leave this page.")


def demo_is_running() -> bool:
    story = get_demo().story
    return story is not None and story.running


def ended_demo(app: App) -> None:
    """The last demo, once it has ended."""
    story = get_demo().story
    if story and not story.running:
        _headline(story)
        _stages(app, story)


def _start_button(app: App, chosen: Chosen, images: int, *, disabled: bool) -> None:
    """Starts at once if no model is in service; otherwise asks for confirmation."""
    label, icon = "Run the guided demo", ":material/play_circle:"
    serving = deployment.endpoint(app)
    if serving is None:
        action_button(
            label,
            lambda: _start(app, chosen, images),
            key="run_demo",
            icon=icon,
            primary=True,
            disabled=disabled,
            help=chosen.missing,
        )
    elif st.button(label, key="run_demo", icon=icon, disabled=disabled, help=chosen.missing):
        confirm_demo(app, chosen, images, serving)


@st.dialog("Replace the model in service?", icon=":material/warning:")
def confirm_demo(app: App, chosen: Chosen, images: int, serving: Endpoint) -> None:
    """Confirmation before the demo's model replaces another."""
    st.write(
        f"**{serving.config.model}** is in service on **{serving.name}**. The demo loads its own dataset, makes it "
        "current, and replaces the model. To restore the model, roll back on **Models**."
    )
    action_button(
        "Yes, run the demo here",
        lambda: _start(app, chosen, images, replace=True),
        key="confirm_demo",
        icon=":material/play_circle:",
        primary=True,
    )


def _start(app: App, chosen: Chosen, images: int, *, replace: bool = False) -> None:
    get_demo().start(app, source=chosen.spec(app), classes=chosen.classes, images=images, replace=replace)


def _stages(app: App, story: Story) -> None:
    for stage in Stage:
        if story.ended(stage) or stage is story.current:
            _stage(app, story, stage)


def _headline(story: Story) -> None:
    of = len(Stage)
    if story.running and story.current:
        told = len(story.told)
        st.progress(told / of, text=f"Stage {told + 1} of {of}: {_TITLES[story.current]}")
    elif story.error:
        st.error(f"The demo stopped. {plain(story.error)}", icon=":material/error:")
    else:
        st.success("Demo finished: every stage of the loop ran once.", icon=":material/celebration:")


def _stage(app: App, story: Story, stage: Stage) -> None:
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
    recent = story.running and list(Stage).index(stage) >= len(story.told) - 2
    return recent or stage in (Stage.CLASSIFY, Stage.MONITOR, Stage.REVIEW, Stage.RETRAIN) or not story.ended(stage)


def _label(story: Story, stage: Stage) -> str:
    if not story.ended(stage):
        return f"**{_TITLES[stage]}** …"
    return f"**{_TITLES[stage]}** · {_SAY[stage](story.result(stage))}"


def _at_work(app: App, story: Story, stage: Stage) -> None:
    if stage in (Stage.TRAIN, Stage.RETRAIN):
        if metrics := _metrics(app):
            metric_curve(metrics, key=f"demo_live_{stage}", height=215)
        show_log(list(story.log.get(stage, ())), last=4)
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
        f"{endpoint.config.capture_percentage} % of its inferences."
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
    confidence_histogram(seen.histogram, seen.threshold, key="demo_histogram")


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
