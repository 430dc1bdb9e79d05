"""Progress and error of a background task."""

import streamlit as st

from scones_core.services.background import BackgroundTask
from scones_core.ui.shell.session import get_background
from scones_core.ui.shell.text import plain

EVERY = 0.5  # seconds between updates


def watch(name: str) -> None:
    """Show the named task's progress until it ends, then rerun the page; if it failed, show the error."""
    task = get_background().get(name)
    if task and task.running:
        st.fragment(run_every=EVERY)(_progress)(name)
    elif task and task.error:
        st.error(plain(task.error), icon=":material/error:")


def _progress(name: str) -> None:
    task = get_background().get(name)
    if task is None or not task.running:
        st.rerun()
    show_progress(task)


def show_progress(task: BackgroundTask) -> None:
    """A labelled bar; without a known total, the count so far."""
    what = f"{task.what[:1].upper()}{task.what[1:]}"
    done = f": {_count(task.done, what)}" if task.done else ""
    of = f" of {_count(task.total, what)}" if task.total and done else ""
    st.progress(task.share or 0.0, text=f"{what}{done}{of}")


def _count(number: int, what: str) -> str:
    """Downloads count bytes, everything else counts things."""
    return f"{number / 1e6:,.0f} MB" if what.startswith("Downloading") else f"{number:,}"
