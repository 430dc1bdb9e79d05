"""Importing data-capture files that another endpoint wrote."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from scones_core.services import App, capture
from scones_core.ui.shell.actions import action_button


def import_button(app: App, *, key: str) -> None:
    """A button that opens the import."""
    if st.button("Import captures", icon=":material/upload_file:", key=key):
        _import(app)


@st.dialog("Import captures", icon=":material/upload_file:")
def _import(app: App) -> None:
    st.write(
        "Data-capture files of an image classifier on SageMaker, or of any endpoint that writes the same format. "
        "Monitor then charts their confidences, and Review offers their images."
    )
    files = st.file_uploader(
        "Capture files", type=["jsonl", "json", "gz"], accept_multiple_files=True, key="captures_to_import"
    )
    text = st.text_input(
        "Class names (optional)",
        placeholder="bicycle, motorcycle",
        help="In the order of the probabilities. Without them, classes are numbered until you name them on Monitor.",
        key="captures_classes",
    )
    names = [name.strip() for name in text.split(",") if name.strip()]
    action_button(
        "Import",
        lambda: _imported(app, files, names),
        key="import_captures",
        icon=":material/download_done:",
        primary=True,
        disabled=not files,
    )


def _imported(app: App, files: Sequence[Any], names: Sequence[str]) -> str:
    found = capture.ingest_files(app, (file.getvalue() for file in files), classes=names or None)
    aside = f", {found.quarantined:,} lines quarantined: see Monitor" if found.quarantined else ""
    return f"{found.new:,} inferences imported{aside}"
