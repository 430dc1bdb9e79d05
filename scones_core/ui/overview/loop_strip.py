"""The loop as a strip of stages, each a link to its page."""

from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from scones_core.services import App, classification
from scones_core.services.overview import LoopStatus, Overview
from scones_core.ui.shell.navigation import PageName
from scones_core.ui.shell.widgets import percent

_HERE = Path(__file__).parent

State = Literal["done", "next", "todo"]

_HTML = """<nav aria-label="The loop, stage by stage"><ol></ol>
<p class="back" aria-hidden="true"><span>a promoted challenger becomes the champion</span></p></nav>"""


@dataclass(frozen=True)
class LoopStage:
    """One stage: `value` in large type, `detail` below it, a link to `page`."""

    title: str
    icon: str
    value: str
    detail: str
    page: PageName
    state: State


@cache
def _component() -> Any:
    return st.components.v2.component(
        "scones_loop_strip",
        html=_HTML,
        css=(_HERE / "loop_strip.css").read_text("utf-8"),
        js=(_HERE / "loop_strip.js").read_text("utf-8"),
    )


def loop_strip(stages: list[LoopStage]) -> None:
    """Show the stages; a click on one opens its page."""
    data = [asdict(stage) for stage in stages]  # in a dict, Streamlit looks for tables, for which it imports pandas
    pressed = _component()(data=data, key="loop_strip", on_page_change=lambda: None).page
    if pressed:
        st.switch_page(PageName(pressed).path)


def loop_stages(app: App, seen: Overview) -> list[LoopStage]:
    """The stages, with their current figures."""
    status = seen.status
    stages = [
        _dataset(seen),
        _model(seen),
        _endpoint(seen),
        _workflow(app, status),
        _captured(status),
        _review(status),
        _challenger(status),
    ]
    following = _following(seen)
    return [replace(stage, state="next") if stage.title == following else stage for stage in stages]


def _following(seen: Overview) -> str:
    status = seen.status
    if status.next.page == PageName.TRAIN:
        return "Endpoint" if seen.serving.models else "Model"
    stages = {PageName.DATA: "Dataset", PageName.WORKFLOW: "Workflow", PageName.REVIEW: "Review"}
    return stages.get(PageName(status.next.page), "Challenger")


def _stage(title: str, icon: str, page: PageName, done: bool, value: str, detail: str) -> LoopStage:
    return LoopStage(title, icon, value, detail, page, "done" if done else "todo")


def _dataset(seen: Overview) -> LoopStage:
    version = seen.dataset
    value = f"{version.images:,} images" if version else "None yet"
    detail = f"{len(version.classes)} classes" if version else "load images"
    if version and version.generated:
        detail += ", generated"
    return _stage("Dataset", "photo_library", PageName.DATA, bool(version), value, detail)


def _model(seen: Overview) -> LoopStage:
    champion = seen.serving.champion
    shown = champion or next(iter(seen.serving.models), None)
    value = f"{shown.id}{' in service' if champion else ' trained'}" if shown else "None yet"
    detail = (
        f"right on {percent(shown.accuracy.value, 0)} of {shown.accuracy.images:,}" if shown else "train a first model"
    )
    return _stage("Model", "model_training", PageName.TRAIN, bool(shown), value, detail)


def _endpoint(seen: Overview) -> LoopStage:
    endpoint = seen.serving.endpoint
    value = _STATUS.get(endpoint.status, endpoint.status) if endpoint else "None yet"
    detail = f"captures {endpoint.config.capture_percentage}%" if endpoint else "deploy a model"
    return _stage("Endpoint", "cloud_done", PageName.TRAIN, bool(endpoint), value, detail)


def _workflow(app: App, status: LoopStatus) -> LoopStage:
    last = next(iter(classification.executions(app, limit=1)), None)
    value = "Ready" if status.endpoint else "Not ready"
    detail = (
        f"latest {_RESULTS.get(last.error, 'failed')}"
        if last
        else "no images yet"
        if status.endpoint
        else "no endpoint"
    )
    return _stage("Workflow", "account_tree", PageName.WORKFLOW, bool(last), value, detail)


def _captured(status: LoopStatus) -> LoopStage:
    value = f"{status.captured:,}" if status.captured else "None yet"
    detail = "inferences" if status.captured else "nothing captured"
    return _stage("Captured", "monitoring", PageName.MONITOR, bool(status.captured), value, detail)


def _review(status: LoopStatus) -> LoopStage:
    value = f"{status.pending_review:,} waiting" if status.captured else "None yet"
    detail = f"{status.labels_since_training:,} new labels" if status.captured else "nothing to review"
    done = bool(status.captured) and not status.pending_review
    return _stage("Review", "rate_review", PageName.REVIEW, done, value, detail)


def _challenger(status: LoopStatus) -> LoopStage:
    detail = f"against {status.champion}" if status.challenger else "retrain from reviews"
    return _stage("Challenger", "trophy", PageName.MODELS, bool(status.challenger), status.challenger or "None", detail)


_STATUS = {"InService": "In service"}
_RESULTS = {None: "accepted", classification.LOW_CONFIDENCE: "low-confidence"}
