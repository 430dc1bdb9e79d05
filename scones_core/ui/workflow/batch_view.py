"""Batches: start form, progress, results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st

from scones_core.domain.datasets import DatasetVersion
from scones_core.ports import ExecutionStatus
from scones_core.services import App, batch
from scones_core.services.batch import Batch
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.task_progress import EVERY
from scones_core.ui.shell.widgets import duration, sent_count, sent_images_text
from scones_core.ui.workflow.batch_items import batch_items
from scones_core.ui.workflow.execution_table import STATUSES

Images = Literal["all", "sample", "prefix"]

_IMAGES: dict[Images, str] = {
    "all": ":material/photo_library: All images",
    "sample": ":material/casino: A sample",
    "prefix": ":material/folder: A prefix",
}
_CHOSEN = "batch"  # in the page's URL
_ENDED = {
    ExecutionStatus.FAILED: "failed",
    ExecutionStatus.ABORTED: "was aborted",
    ExecutionStatus.TIMED_OUT: "timed out",
}


@dataclass(frozen=True)
class ChosenBatch:
    """`start` starts it and returns its name; `missing` names the input that is still needed."""

    label: str
    start: Callable[[], str]
    missing: str | None = None


def batch_input(app: App, dataset: DatasetVersion) -> ChosenBatch:
    """The images: the whole pool, a sample of it, or a key prefix."""
    images: Images = st.segmented_control(
        "Images of the batch",
        tuple(_IMAGES),
        default="all",
        format_func=_IMAGES.__getitem__,
        required=True,
        key="batch_images",
    )
    return {"all": _all_images, "sample": _sample, "prefix": _prefix}[images](app, dataset)


def _all_images(app: App, dataset: DatasetVersion) -> ChosenBatch:
    st.caption(f"The {sent_images_text(dataset)} of {dataset.id}.")
    return ChosenBatch("Start batch", lambda: batch.start(app))


def _sample(app: App, dataset: DatasetVersion) -> ChosenBatch:
    most = max(1, sent_count(dataset))
    count = st.number_input(
        "Images in the sample",
        1,
        most,
        min(50, most),
        key="batch_sample",
        width=220,
        help=f"Drawn from the {sent_images_text(dataset)}, and copied under a new prefix for this batch.",
    )
    return ChosenBatch(f"Start batch of {count:,}", lambda: batch.start(app, sample=count))


def _prefix(app: App, _dataset: DatasetVersion) -> ChosenBatch:
    prefix = st.text_input("Key prefix", "uploads/", key="batch_prefix", width=360, max_chars=500).strip()
    missing = None if prefix else "Enter a key prefix first."
    return ChosenBatch("Start batch", lambda: batch.start(app, prefix=prefix), missing)


def start_button(chosen: ChosenBatch) -> None:
    def start() -> str:
        st.query_params[_CHOSEN] = chosen.start()
        return "Batch started"

    action_button(
        chosen.label,
        start,
        key="start_batch",
        icon=":material/play_arrow:",
        primary=True,
        disabled=bool(chosen.missing),
        help=chosen.missing,
    )


def running_batches(app: App, batches: Sequence[Batch]) -> None:
    """A progress bar and a stop button per running batch; the page reruns when one ends."""
    for one in batches:
        if one.status is ExecutionStatus.RUNNING:
            st.fragment(run_every=EVERY)(_running)(app, one.name)


def _running(app: App, name: str) -> None:
    now = batch.describe(app, name)
    if now.status is not ExecutionStatus.RUNNING:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        of = f" of {now.images:,}" if now.images else ""
        st.progress(now.done / now.images if now.images else 0.0, text=f"{name}: {now.done:,}{of} images classified")
        action_button("Stop batch", lambda: _stop(app, name), key=f"stop_{name}", icon=":material/stop:")


def _stop(app: App, name: str) -> str:
    batch.stop(app, name)
    return "Batch stopped; images classified so far stay captured"


def batches_table(batches: Sequence[Batch]) -> Batch:
    """The table, newest first; returns the selected batch, by default the newest. The URL keeps the selection."""
    names = [one.name for one in batches]
    wanted = st.query_params.get(_CHOSEN, names[0])
    marked = [names.index(wanted)] if wanted in names else [0]
    event = st.dataframe(
        pd.DataFrame([_row(one) for one in batches]),
        key=f"batches-{names[0]}-{len(names)}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": marked}},
        height=min(300, 35 * len(names) + 40),
        column_config=_columns(),
        placeholder="–",
        alt=f"The {len(names)} newest batches, with their numbers of accepted images",
    )
    chosen: list[int] = event["selection"]["rows"] or marked
    if chosen != marked:
        st.query_params[_CHOSEN] = names[chosen[0]]
    return batches[chosen[0]]


def _columns() -> dict[str, Any]:
    numbers = ("Images", "Accepted", "Low confidence", "Errors")
    return {
        "Status": st.column_config.MultiselectColumn(
            options=[text for text, _ in STATUSES.values()],
            color=[colour for _, colour in STATUSES.values()],
            width=100,
        ),
        "Duration": st.column_config.NumberColumn(format="%.2f s", width="small"),
        **{name: st.column_config.NumberColumn(format="localized", width="small") for name in numbers},
    }


def _row(one: Batch) -> dict[str, Any]:
    ended = one.status is ExecutionStatus.SUCCEEDED
    return {
        "Batch": one.name,
        "Status": [STATUSES[one.status][0]],
        "Images": one.images,
        "Accepted": one.accepted if ended else None,
        "Low confidence": one.low_confidence if ended else None,
        "Errors": one.errors if ended else None,
        "Duration": one.seconds,
    }


def batch_summary(app: App, one: Batch) -> None:
    """The figures of an ended batch, and the first images that need attention."""
    if one.status is ExecutionStatus.RUNNING:
        return
    if one.status is not ExecutionStatus.SUCCEEDED:
        why = f" ({one.error})" if one.error else ""
        st.warning(
            f"The batch {_ENDED[one.status]}{why} after {one.done:,} of {one.images:,} images. See its states below.",
            icon=":material/warning:",
        )
        return
    _figures(one)
    batch_items(app, one)
    if one.summary_key:
        st.caption(f"The full list is in the object `{one.summary_key}` of the bucket.")


def _figures(one: Batch) -> None:
    rate = f"{one.images / one.seconds:,.0f} images/s" if one.seconds and one.images else None
    figures = (
        ("Images", f"{one.images:,}", None),
        ("Accepted", f"{one.accepted:,}", _share(one.accepted, one)),
        ("Low confidence", f"{one.low_confidence:,}", _share(one.low_confidence, one)),
        ("Errors", f"{one.errors:,}", _share(one.errors, one)),
        ("Duration", duration(one.seconds), rate),
    )
    with st.container(horizontal=True):
        for label, value, detail in figures:
            st.metric(label, value, detail, delta_color="off", delta_arrow="off", border=True, height="stretch")


def _share(part: int, one: Batch) -> str | None:
    return f"{part / one.images:.1%}" if one.images else None
