"""Settings: threshold, configuration and health checks."""

import pandas as pd
import streamlit as st

from scones_core.services import doctor, monitoring
from scones_core.ui.settings.checks import checks_section
from scones_core.ui.shell import navigation
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.notifications import notification_status
from scones_core.ui.shell.session import get_app, shown_errors
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.threshold import set_threshold
from scones_core.ui.shell.widgets import page_header

page_header("Settings", "The threshold, the configuration, notifications, and checks of the installation.")
app = get_app()

threshold, configuration = st.columns([2, 3])
with threshold.container(border=True, height="stretch"):
    st.header("Confidence threshold", anchor=False)
    current = monitoring.threshold(app)
    st.metric("Current", f"{current:g}", help="An inference is accepted only if its confidence exceeds the threshold.")
    value = st.number_input("New threshold", 0.0, max(0.999, current), current, 0.01, format="%g", key="new_threshold")
    action_button(
        "Set threshold",
        lambda: set_threshold(app, value),
        key="set_threshold",
        icon=":material/tune:",
        disabled=value == current,
    )
    st.caption("Monitor shows coverage and error rate per threshold and can suggest one.")
    navigation.link("monitor", "Compare thresholds")
with configuration.container(border=True, height="stretch"):
    st.header("Configuration", anchor=False)
    rows = [{name.capitalize(): plain(value) for name, value in row.items()} for row in doctor.configuration(app)]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)
    st.caption("Set by environment variables, `.env` or `secrets.toml` before the app starts. Secrets are never shown.")

st.header("Notifications", anchor=False)
with shown_errors():
    notification_status(app)

st.header("Checks", anchor=False)
checks_section(app)
