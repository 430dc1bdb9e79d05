"""Sections of the Workflow page, shown one at a time; the URL keeps the selection."""

from enum import StrEnum

import streamlit as st

_KEY, _PARAMETER = "workflow_part", "part"


class Section(StrEnum):
    IMAGES = "Images"
    BATCH = "Batch"
    TRAFFIC = "Traffic"
    MACHINES = "State machines"
    IMPORT = "Import"
    NOTIFICATIONS = "Notifications"

    @property
    def needs_model(self) -> bool:
        """Whether it sends images, and so needs a dataset and a model in service."""
        return self in (Section.IMAGES, Section.BATCH, Section.TRAFFIC)


_ICONS = {
    Section.IMAGES: ":material/image:",
    Section.BATCH: ":material/dynamic_feed:",
    Section.TRAFFIC: ":material/speed:",
    Section.MACHINES: ":material/data_object:",
    Section.IMPORT: ":material/upload_file:",
    Section.NOTIFICATIONS: ":material/notifications:",
}


def section_input() -> Section:
    """The section to show: the one in the URL when the page opens, then the selected one."""
    if _KEY not in st.session_state:
        wanted = st.query_params.get(_PARAMETER, "").replace("-", "_").upper()
        st.session_state[_KEY] = Section[wanted] if wanted in Section.__members__ else Section.IMAGES
    chosen = st.segmented_control(
        "Section of the workflow",
        list(Section),
        format_func=lambda section: f"{_ICONS[section]} {section}",
        required=True,
        key=_KEY,
        on_change=_to_address,
        label_visibility="collapsed",
    )
    return Section(chosen or Section.IMAGES)


def _to_address() -> None:
    st.query_params[_PARAMETER] = Section(st.session_state[_KEY]).name.lower().replace("_", "-")
