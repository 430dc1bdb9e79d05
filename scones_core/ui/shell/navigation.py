"""The pages: names, order, icons and paths."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import streamlit as st

from scones_core.settings import FILES

_PAGE, _ENTERED = "page", "page_entered"  # in the session state
LOGO = str(Path(__file__).with_name("logo.svg"))


@dataclass(frozen=True)
class _Entry:
    title: str
    icon: str
    section: str


class PageName(StrEnum):
    """Named as `services.overview.Step.page` names them; the file is `pages/<name>.py`."""

    OVERVIEW = "overview"
    DATA = "data"
    TRAIN = "train"
    WORKFLOW = "workflow"
    MONITOR = "monitor"
    REVIEW = "review"
    MODELS = "models"
    SETTINGS = "settings"

    @property
    def path(self) -> str:
        return str(FILES / "pages" / f"{self}.py")

    @property
    def label(self) -> str:
        return _ENTRIES[self].title

    @property
    def icon(self) -> str:
        return _ENTRIES[self].icon


_ENTRIES = {
    PageName.OVERVIEW: _Entry("Overview", ":material/home:", "Scones Unlimited"),
    PageName.DATA: _Entry("Data", ":material/photo_library:", "Build"),
    PageName.TRAIN: _Entry("Train & deploy", ":material/model_training:", "Build"),
    PageName.WORKFLOW: _Entry("Workflow", ":material/account_tree:", "Operate"),
    PageName.MONITOR: _Entry("Monitor", ":material/monitoring:", "Operate"),
    PageName.REVIEW: _Entry("Review", ":material/rate_review:", "Improve"),
    PageName.MODELS: _Entry("Models", ":material/deployed_code:", "Improve"),
    PageName.SETTINGS: _Entry("Settings", ":material/settings:", "Administration"),
}


def navigation() -> dict[str, list[st.Page]]:
    """The pages by section, in the order of the loop, for `st.navigation`."""
    sections: dict[str, list[st.Page]] = {}
    for name, entry in _ENTRIES.items():
        page = st.Page(name.path, title=entry.title, icon=entry.icon, default=name is PageName.OVERVIEW)
        sections.setdefault(entry.section, []).append(page)
    return sections


def note_page(name: str) -> None:
    """Record the page that is run."""
    st.session_state[_ENTERED] = st.session_state.get(_PAGE) != name
    st.session_state[_PAGE] = name


def just_entered() -> bool:
    """Whether the page before, in this session, was another; so once per visit."""
    return bool(st.session_state.pop(_ENTERED, False))


def link(
    name: PageName | str, label: str | None = None, *, query: dict[str, str] | None = None, icon: str | None = None
) -> None:
    """A link to a page, with the page's own icon unless another is given.  query : parameters of the URL."""
    name = PageName(name)
    st.page_link(name.path, label=label or name.label, icon=icon or name.icon, query_params=query)
