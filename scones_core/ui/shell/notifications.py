"""Failure notifications: the channels, and the messages sent."""

from datetime import datetime
from functools import partial

import pandas as pd
import streamlit as st

from scones_core.errors import SconesError
from scones_core.services import App, notification
from scones_core.settings import BackendName
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.times import heading, wall_time
from scones_core.ui.shell.widgets import duration

_EXAMPLE = """# in .env or as an environment variable; separate several with spaces
SCONES_NOTIFY="mailto://user:password@example.com slack://TokenA/TokenB/TokenC json://127.0.0.1:8080/hook"
SCONES_NOTIFY_SECONDS=60
"""


_ON_AWS = (
    "If the stack's parameter `FailureNotifications` is `each`, AWS notifies the subscribers of its topic of every "
    "failure and the app sends nothing. If it is `digest`, the app sends them one message per burst: subscribe an "
    "address with the parameter `NotificationEmail`, and confirm it."
)


@st.cache_data(show_spinner=False, ttl=60)
def _channels(_app: App, home: str) -> tuple[str, ...]:
    return tuple(notification.channels(_app))


def notification_status(app: App) -> None:
    """The channels, without their secrets, or how to set one up. Raises BadInput for an invalid URL."""
    channels = _channels(app, str(app.settings.home))
    if not channels:
        _how_to(app.settings.backend)
        return
    told = f"{len(channels)} channel{'s' if len(channels) > 1 else ''}"
    every = duration(app.settings.notify_seconds)
    st.success(
        f"Failed executions are reported to {told}, at most once every {every}; drift alarms at once.",
        icon=":material/notifications_active:",
    )
    for number, name in enumerate(channels):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"`{name}`", width="content")
            action_button(
                "Send a test message",
                partial(_test, app, number, name),
                key=f"test_channel_{number}",
                icon=":material/send:",
            )


def _test(app: App, number: int, name: str) -> str:
    notification.send_test(app, number)
    return f"Test message sent to {name}"


def _how_to(backend: BackendName) -> None:
    if backend is BackendName.AWS:
        st.info("Failure notifications are off.", icon=":material/notifications_off:")
        st.markdown(_ON_AWS)
        return
    st.info("Failure notifications are off: no channel is configured.", icon=":material/notifications_off:")
    st.markdown(
        "Set one or more [Apprise](https://github.com/caronc/apprise/wiki) URLs (webhook, e-mail or chat) and restart "
        "the app:"
    )
    st.code(_EXAMPLE, language="bash", wrap_lines=True)


def notification_hint(app: App) -> None:
    """One line: notifications on or off."""
    try:
        channels = len(_channels(app, str(app.settings.home)))
    except SconesError:
        st.caption(":material/notifications_off: A notification channel is invalid: see **Notifications** above.")
        return
    if channels:
        st.caption(
            f":material/notifications_active: Failures are reported to {channels} channel{'s' * (channels > 1)}."
        )
    else:
        st.caption(":material/notifications_off: Failure notifications are off: see **Notifications** above.")


def messages_table(app: App) -> None:
    """Sent messages, newest first."""
    rows = [_row(message) for message in notification.sent(app)]
    if not rows:
        st.info("No messages yet. One is sent when executions fail, or drift is found.", icon=":material/mail:")
        return
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            heading("Time"): st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss", width="small"),
            "Executions": st.column_config.NumberColumn(format="localized", width="small"),
            "Result": st.column_config.MultiselectColumn(
                options=["Sent", "Not sent"], color=["green", "red"], width="small"
            ),
            "Message": st.column_config.TextColumn(width="medium"),
        },
        alt=f"The {len(rows)} newest messages about failed executions and drift",
    )


def _row(message: dict[str, object]) -> dict[str, object]:
    return {
        heading("Time"): wall_time(datetime.fromisoformat(str(message["time"]))),
        "Title": message["title"],
        "Executions": message["executions"],
        "Result": ["Not sent" if message["failure"] else "Sent"],
        "Failure": message["failure"] or "",
        "Message": message["body"],
    }
