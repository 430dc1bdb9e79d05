"""The doctor's checks as a table."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from scones_core.services.doctor import Check
from scones_core.ui.shell.text import plain


def checks_table(checks: Sequence[Check]) -> None:
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
