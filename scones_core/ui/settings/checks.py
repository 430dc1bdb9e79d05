"""The doctor's checks as a table."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from scones_core.services import App, doctor
from scones_core.services.doctor import Check
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.times import time_text

KEPT = 60  # seconds, for whoever looks at the page; a large database takes a while to check


def checks_section(app: App) -> None:
    """The checks of the last minute, and a button that runs them now."""
    checks, time = _checked(app, str(app.settings.home))
    _table(checks)
    st.caption(f"Checked {time_text(time)}.")
    st.button("Check again", icon=":material/refresh:", key="check_again", on_click=_checked.clear)


@st.cache_data(show_spinner="Checking…", ttl=KEPT, max_entries=8)
def _checked(_app: App, home: str) -> tuple[list[Check], datetime]:
    return doctor.checks(_app), datetime.now(UTC)


def _table(checks: Sequence[Check]) -> None:
    """A summary, then one row per check, failed ones first."""
    failed = [check for check in checks if not check.ok]
    if failed:
        st.warning(
            f"{len(failed)} of {len(checks)} checks failed. The table says what to do.", icon=":material/warning:"
        )
    else:
        st.success(f"All {len(checks)} checks passed.", icon=":material/check_circle:")
    rows = [
        {
            "State": ":green[:material/check_circle:]" if check.ok else ":red[:material/error:]",
            "Check": check.name.capitalize(),
            "Result": "passed" if check.ok else "failed",
            "Detail": plain(check.detail),
        }
        for check in sorted(checks, key=lambda check: check.ok)
    ]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt="Checks of the installation")
