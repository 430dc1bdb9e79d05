"""Labels in and out: exports of the current labels, and imports from other tools."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import streamlit as st
from streamlit.typing import UploadedFile

from scones_core.domain.review import Status
from scones_core.errors import NotFound, SconesError
from scones_core.services import App, capture, label_export, label_import, review_search
from scones_core.services.label_export import EVERYTHING, FOLDERS, ExportFormat, LabelFilter
from scones_core.services.label_import import ImportedLabels
from scones_core.services.review_figures import QueueFigures
from scones_core.ui.shell.session import shown_errors
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import abbreviation, days_between

_SHOWN = 10  # refused rows
_IMPORTED = "imported_labels"  # the id of a file, and what became of it, kept while the page runs again
_EXPORTS = {
    ExportFormat.MANIFEST: ("Augmented manifest", "reviewed.manifest", "application/jsonl"),
    ExportFormat.LABEL_STUDIO: ("Label Studio", "reviewed-label-studio.json", "application/json"),
    ExportFormat.CSV: ("CSV", "reviewed.csv", "text/csv"),
    FOLDERS: ("Pictures by class", "reviewed.zip", "application/zip"),
}


def exchange(app: App, name: str, queue: QueueFigures) -> None:
    """Buttons that export the current labels, written on download; and a field that imports labels.  name : whose."""
    st.header("Export and import", anchor=False)
    with st.expander("Filter", icon=":material/filter_alt:", key="export_filter"):
        filter = _filter(app)
    labels = queue.labels if filter == EVERYTHING else _fitting(app, filter)
    which = "" if filter == EVERYTHING else " that fit the filter"
    st.caption(
        f"{labels:,} reviewed label{'' if labels == 1 else 's'}{which}, for training elsewhere or for another "
        "labelling tool."
    )
    with st.container(horizontal=True):
        for format, (text, file_name, mime) in _EXPORTS.items():
            st.download_button(
                text,
                partial(_exported, app, format, filter),
                file_name,
                mime,
                icon=":material/download:",
                key=f"export_{format}",
                on_click="ignore",
                disabled=not labels,
            )
    _import(app, name)


def _filter(app: App) -> LabelFilter:
    """Controls for reviewer, status, model and days of the decision."""
    with st.grid(4, min_column_width=150, gap="small"):
        reviewer = _one_of("Reviewer", review_search.reviewers(app))
        status = _one_of("Status", [Status.CONFIRMED, Status.RELABELLED, Status.LABELLED])
        model = _one_of("Model", [maker.name for maker in capture.makers(app)])
        days = st.date_input("Days of the decision", [], key="export_days", help=f"In {abbreviation()}.")
    since, end = days_between(days)
    until = end and end - timedelta.resolution  # a filter includes its last moment
    return LabelFilter(model, reviewer, Status(status) if status else None, since, until)


def _one_of(label: str, choices: Sequence[str]) -> str | None:
    key = f"export_by_{label.lower()}"
    found: str | None = st.selectbox(label, [None, *choices], format_func=lambda one: one or "Any", key=key)
    return found


def _fitting(app: App, filter: LabelFilter) -> int:
    try:
        return len(label_export.labels(app, filter))
    except NotFound:
        return 0


def _exported(app: App, format: str, filter: LabelFilter) -> str | bytes:
    if format == FOLDERS:
        return label_export.folders(app, filter)[0]
    return label_export.export(app, ExportFormat(format), filter=filter)[0]


def _import(app: App, name: str) -> None:
    """The field, and what became of the last file: counts, and the refused rows with their reasons."""
    with st.expander("Import labels", icon=":material/upload:", key="import_part"):
        about = "An augmented manifest, Label Studio's JSON, a CSV, or a zip with one folder of pictures per class."
        file = st.file_uploader(about, key="import_labels")
        st.button(
            "Import",
            icon=":material/upload:",
            key="import_labels_now",
            disabled=file is None,
            on_click=_import_file,  # before the page is drawn, which then counts the new labels
            args=(app, file, name),
        )
        imported, outcome = st.session_state.get(_IMPORTED, (None, None))
        if file and file.file_id == imported:
            with shown_errors():
                _outcome(outcome)


def _import_file(app: App, file: UploadedFile, name: str) -> None:
    try:
        outcome: ImportedLabels | SconesError = label_import.import_upload(
            app, file.name, file.getvalue(), reviewer=name
        )
    except SconesError as error:
        outcome = error
    st.session_state[_IMPORTED] = file.file_id, outcome


def _outcome(found: ImportedLabels | SconesError) -> None:
    if isinstance(found, SconesError):
        raise found
    st.write(f"{found.new:,} new labels, {found.known:,} known already, {len(found.refused):,} rows refused.")
    for refused in found.refused[:_SHOWN]:
        st.caption(f"Row {refused['row']}: {plain(refused['reason'])}")
    if len(found.refused) > _SHOWN:
        st.caption(f"… and {len(found.refused) - _SHOWN:,} more; `scones review import` lists all.")
