"""Labels in and out: exports of the current labels, and imports from other tools."""

from functools import partial

import streamlit as st

from scones_core.services import App, label_export, label_import
from scones_core.services.label_export import ExportFormat
from scones_core.services.review_figures import QueueFigures
from scones_core.ui.shell.text import plain

_SHOWN = 10  # refused rows
_EXPORTS = {
    ExportFormat.MANIFEST: ("Augmented manifest", "reviewed.manifest", "application/jsonl"),
    ExportFormat.LABEL_STUDIO: ("Label Studio", "reviewed-label-studio.json", "application/json"),
    ExportFormat.CSV: ("CSV", "reviewed.csv", "text/csv"),
}


def exchange(app: App, name: str, queue: QueueFigures) -> None:
    """Buttons that export the current labels, written on download; and a field that imports labels.  name : whose."""
    labels = queue.labels
    st.header("Export and import", anchor=False)
    st.caption(
        f"{labels:,} reviewed label{'' if labels == 1 else 's'}, for training elsewhere or for another labelling tool."
    )
    with st.container(horizontal=True):
        for format, (text, file_name, mime) in _EXPORTS.items():
            st.download_button(
                text,
                partial(_exported, app, format),
                file_name,
                mime,
                icon=":material/download:",
                key=f"export_{format}",
                on_click="ignore",
                disabled=not labels,
            )
        st.download_button(
            "Pictures by class",
            partial(_folders, app),
            "reviewed.zip",
            "application/zip",
            icon=":material/download:",
            key="export_folders",
            on_click="ignore",
            disabled=not labels,
        )
    _import(app, name)


def _exported(app: App, format: ExportFormat) -> str:
    return label_export.export(app, format)[0]


def _folders(app: App) -> bytes:
    return label_export.folders(app)[0]


def _import(app: App, name: str) -> None:
    """The field, and what became of the file: counts, and the refused rows with their reasons."""
    with st.expander("Import labels", icon=":material/upload:"):
        about = "An augmented manifest, Label Studio's JSON, a CSV, or a zip with one folder of pictures per class."
        file = st.file_uploader(about, key="import_labels")
        if (
            not st.button("Import", icon=":material/upload:", key="import_labels_now", disabled=file is None)
            or not file
        ):
            return
        found = label_import.import_upload(app, file.name, file.getvalue(), reviewer=name)
        st.write(f"{found.new:,} new labels, {found.known:,} known already, {len(found.refused):,} rows refused.")
        for refused in found.refused[:_SHOWN]:
            st.caption(f"Row {refused['row']}: {plain(refused['reason'])}")
        if len(found.refused) > _SHOWN:
            st.caption(f"… and {len(found.refused) - _SHOWN:,} more; `scones review import` lists all.")
