"""A dataset version: figures, skipped images, lineage."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from scones_core.domain.datasets import DatasetVersion
from scones_core.services import App, etl
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text
from scones_core.ui.shell.widgets import generated_badge

OPENED = "opened_dataset"  # session key


def balance_of(app: App, version: DatasetVersion) -> list[dict[str, object]]:
    """`etl.balance`, counted once: a version never changes."""
    return _balance(app, str(app.settings.home), version)


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs={DatasetVersion: lambda version: version.id})
def _balance(_app: App, home: str, version: DatasetVersion) -> list[dict[str, object]]:
    return etl.balance(_app, version)


def dataset_summary(version: DatasetVersion) -> None:
    """The version in one line of badges and one of figures."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(plain(version.source), anchor=False, width="content")
        generated_badge(version)
        st.badge(version.id, icon=":material/fingerprint:", color="gray", help="Digest of the images and labels.")
    with st.grid(5, min_column_width=150):
        st.metric("Train images", f"{version.train:,}", border=True)
        st.metric(
            "Pool images",
            f"{version.pool:,}",
            border=True,
            help="Sent through the workflow, and used for training once reviewed.",
        )
        st.metric(
            "Test images",
            f"{version.test:,}",
            border=True,
            help=f"Sealed: never trained on, reviewed or not. Test set {version.test_set}.",
        )
        st.metric("Classes", len(version.classes), border=True, help=", ".join(version.classes))
        st.metric("Reviewed labels added", f"{version.new_labels:,}", border=True)


def skipped_table(version: DatasetVersion) -> None:
    if not version.skipped:
        st.success("No skipped images: every image of the source is used.", icon=":material/check_circle:")
        return
    st.caption("These images are not in the dataset; the others are unaffected.")
    rows = pd.DataFrame([{"Name": row["name"], "Reason": row["reason"]} for row in version.skipped])
    st.dataframe(rows, hide_index=True, alt="Names of the skipped images and why each was skipped")


def corrections_table(version: DatasetVersion) -> None:
    """Test labels corrected by reviews."""
    if not version.corrections:
        st.info("No test labels corrected since the previous version.", icon=":material/verified:")
        return
    st.caption("Reviewed test images and copies of them. Their labels were corrected; none was used for training.")
    rows = [
        {"Image": row["key"], "Previous label": row["was"], "Reviewed as": row["now"]} for row in version.corrections
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Test images whose labels were reviewed")


def versions_table(app: App, versions: Sequence[DatasetVersion], current: DatasetVersion) -> None:
    """All versions, newest first; a selected one is opened or made current, two are compared by their counts."""
    st.markdown("Lineage of the current version: " + " → ".join(f"`{id}`" for id in _descent(versions, current)))
    rows = pd.DataFrame(
        [
            {
                "Version": version.id,
                "Current": version.id == current.id,
                "Created": time_text(version.created),
                "Source": version.source,
                "Generated": version.generated,
                "Train": version.train,
                "Pool": version.pool,
                "Test": version.test,
                "Test set": version.test_set,
                "New labels": version.new_labels,
                "Parent": version.parent or "–",
            }
            for version in versions
        ]
    )
    event = st.dataframe(
        rows,
        key=f"dataset-versions-{versions[0].id}-{len(versions)}",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        alt="Dataset versions with their parents, newest first",
    )
    chosen = [versions[row] for row in event["selection"]["rows"]]
    if len(chosen) == 1:
        _open(app, chosen[0], current)
    elif len(chosen) == 2:
        _compare(app, *sorted(chosen, key=lambda version: version.created))
    else:
        st.caption("Select one version to open it or to make it current, or two to compare them.")


def _open(app: App, version: DatasetVersion, current: DatasetVersion) -> None:
    with st.container(horizontal=True):
        if st.button("Open this version", key="open_version", icon=":material/photo_library:"):
            st.session_state[OPENED] = version.id
            st.rerun()
        action_button(
            "Make current",
            lambda: _make_current(app, version),
            key="make_current",
            icon=":material/check:",
            disabled=version.id == current.id,
            help="It is the current version." if version.id == current.id else None,
        )


def _make_current(app: App, version: DatasetVersion) -> str:
    etl.make_current(app, version.id)
    st.session_state.pop(OPENED, None)
    return f"{version.id} is now the current dataset version"


def _compare(app: App, one: DatasetVersion, other: DatasetVersion) -> None:
    """Images per split and class of both, and the difference."""
    counts = [{(row["split"], row["class"]): row["images"] for row in balance_of(app, v)} for v in (one, other)]
    rows = [
        {
            "Split": split,
            "Class": name,
            one.id: counts[0].get((split, name), 0),
            other.id: counts[1].get((split, name), 0),
        }
        for split, name in sorted({*counts[0], *counts[1]})
    ]
    table = pd.DataFrame(rows)
    table["Difference"] = table[other.id] - table[one.id]
    st.dataframe(table, hide_index=True, alt=f"Images per split and class of {one.id} and {other.id}")


def opened(app: App, current: DatasetVersion) -> DatasetVersion:
    """The version to show: the opened one, by default the current one."""
    id = st.session_state.get(OPENED, current.id)
    return next((version for version in etl.versions(app) if version.id == id), current)


def opened_note(version: DatasetVersion, current: DatasetVersion) -> None:
    """Says that another than the current version is shown, with the way back."""
    if version.id == current.id:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(f"Version {version.id} is shown; the current one is {current.id}.", icon=":material/history:")
        if st.button("Show the current version", key="close_version"):
            st.session_state.pop(OPENED)
            st.rerun()


def _descent(versions: Sequence[DatasetVersion], version: DatasetVersion) -> list[str]:
    by_id = {each.id: each for each in versions}
    line = [version.id]
    while (parent := by_id[line[0]].parent) in by_id and parent not in line:
        line.insert(0, str(parent))
    return line
