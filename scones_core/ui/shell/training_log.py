"""A training job's log, and the job selected on Train & deploy."""

from collections.abc import Sequence

import streamlit as st

EVERY = 1.0  # seconds between updates while jobs run
JOB = "job"  # session key: name of the selected job


def select_job(name: str) -> None:
    """Select this job in the panel, from the next run on."""
    st.session_state[JOB] = name


def show_log(lines: Sequence[str], *, last: int = 200) -> None:
    """The last lines of a training log, with the time of day (UTC) instead of the full time."""
    short = [f"{line[11:19]}{line[line.find(' ') :]}" if line[10:11] == "T" else line for line in lines[-last:]]
    st.code("\n".join(short) or "The log is empty so far.", language=None, wrap_lines=True)
