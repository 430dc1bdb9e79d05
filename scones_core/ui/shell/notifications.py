"""Who is told of failed executions, and what they were told."""

import pandas as pd
import streamlit as st

from scones_core.errors import SconesError
from scones_core.services import App, notification
from scones_core.settings import BackendName
from scones_core.ui.shell.widgets import duration

_EXAMPLE = """# in .env, or as a variable of the environment; several are separated by blanks
SCONES_NOTIFY="mailto://user:password@example.com slack://TokenA/TokenB/TokenC json://127.0.0.1:8080/hook"
SCONES_NOTIFY_SECONDS=60
"""


_ON_AWS = (
    "With the stack's parameter `FailureNotifications` at `each`, AWS itself tells the subscribers of its topic, "
    "and the app sends nothing. At `digest` the app sends them one message for a burst: subscribe an address with the "
    "parameter `NotificationEmail`, and confirm it."
)


@st.cache_data(show_spinner=False, ttl=60)
def _channels(_app: App, home: str) -> tuple[str, ...]:
    return tuple(notification.channels(_app))


def notification_status(app: App) -> None:
    """The channels, without their secrets, or how to set one up. Raises BadInput when a URL is wrong."""
    channels = _channels(app, str(app.settings.home))
    if not channels:
        _how_to(app.settings.backend)
        return
    told = f"{len(channels)} channel{'s' if len(channels) > 1 else ''}"
    every = duration(app.settings.notify_seconds)
    st.success(
        f"Failed executions are told to {told}, in one message at most every {every}.",
        icon=":material/notifications_active:",
    )
    st.dataframe(
        pd.DataFrame({"Channel": list(channels)}), hide_index=True, width="stretch", alt="The configured channels"
    )


def _how_to(backend: BackendName) -> None:
    if backend is BackendName.AWS:
        st.info("The app tells nobody of failed executions.", icon=":material/notifications_off:")
        st.markdown(_ON_AWS)
        return
    st.info("Nobody is told of failed executions: no channel is configured.", icon=":material/notifications_off:")
    st.markdown(
        "Name channels by their [Apprise](https://github.com/caronc/apprise/wiki) URLs, such as a webhook, "
        "e-mail or chat, and start the app again:"
    )
    st.code(_EXAMPLE, language="bash")


def notification_hint(app: App) -> None:
    """One line on whether somebody hears of failures."""
    try:
        channels = len(_channels(app, str(app.settings.home)))
    except SconesError:
        st.caption(":material/notifications_off: The notification channel is wrong: see **Notifications** above.")
        return
    if channels:
        st.caption(f":material/notifications_active: Failures are told to {channels} channel{'s' * (channels > 1)}.")
    else:
        st.caption(":material/notifications_off: The app tells nobody of failures: see **Notifications** above.")


def messages_table(app: App) -> None:
    """What was sent, newest first."""
    rows = [_row(message) for message in notification.sent(app)]
    if not rows:
        st.info("No message has been sent yet: there is one as soon as executions fail.", icon=":material/mail:")
        return
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Time (UTC)": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss", width="small"),
            "Executions": st.column_config.NumberColumn(format="localized", width="small"),
            "Result": st.column_config.MultiselectColumn(
                options=["Sent", "Not sent"], color=["green", "red"], width="small"
            ),
            "Message": st.column_config.TextColumn(width="medium"),
        },
        alt=f"The {len(rows)} newest messages about failed executions",
    )


def _row(message: dict[str, object]) -> dict[str, object]:
    time = pd.Timestamp(str(message["time"]))
    return {
        "Time (UTC)": time.tz_convert(None) if time.tzinfo else time,
        "Title": message["title"],
        "Executions": message["executions"],
        "Result": ["Not sent" if message["failure"] else "Sent"],
        "Failure": message["failure"] or "",
        "Message": message["body"],
    }
