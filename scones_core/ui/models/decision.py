"""Decisions about the model in service: promotion, rejection, rollback. Each says who decided, and can be cancelled."""

from collections.abc import Callable
from typing import Literal

import streamlit as st

from scones_core.domain.comparison import Comparison, Verdict
from scones_core.domain.models import ModelVersion
from scones_core.errors import SconesError
from scones_core.ports import Endpoint
from scones_core.services import App, deployment, retraining
from scones_core.ui.shell.actions import confirm_or_cancel
from scones_core.ui.shell.background_deploy import change_serving
from scones_core.ui.shell.comparison import verdict_view
from scones_core.ui.shell.user import actor_input

_LONGEST_REASON = 300  # characters


def decision(app: App, challenger: ModelVersion, champion: ModelVersion) -> None:
    """Buttons to promote and to reject; promotion is prominent only if the challenger is better."""
    comparison = _comparison(app, champion, challenger)
    better = comparison is not None and comparison.verdict is Verdict.BETTER
    kind: Literal["primary", "secondary"] = "primary" if better else "secondary"
    with st.container(horizontal=True):
        if st.button(f"Promote {challenger.id}", key=f"promote_{challenger.id}", icon=":material/publish:", type=kind):
            confirm_promotion(app, challenger, champion)
        if st.button(f"Reject {challenger.id}", key=f"reject_{challenger.id}", icon=":material/block:"):
            confirm_rejection(app, challenger, champion)


def _comparison(app: App, champion: ModelVersion, challenger: ModelVersion) -> Comparison | None:
    """None if the two have not been evaluated on the same test images."""
    try:
        return retraining.comparison(app, champion, challenger)
    except SconesError:
        return None


def _decided(app: App, challenger: ModelVersion, champion: ModelVersion, why: str, *, key: str) -> tuple[str, str]:
    """The verdict once more; who decides, and why."""
    verdict_view(_comparison(app, champion, challenger), champion.id, challenger.id)
    return actor_input(), st.text_input(why, max_chars=_LONGEST_REASON, key=key).strip()


@st.dialog("Promote the challenger", icon=":material/publish:")
def confirm_promotion(app: App, challenger: ModelVersion, champion: ModelVersion) -> None:
    """Confirmation before `challenger` replaces `champion`, with the verdict once more."""
    st.write(f"**{challenger.id}** replaces **{champion.id}** in service. You can roll back afterwards.")
    actor, reason = _decided(app, challenger, champion, "Reason (optional)", key="promotion_reason")

    def promote() -> Endpoint:
        return deployment.promote(app, challenger.id, actor=actor, reason=reason)

    confirm_or_cancel(
        f"Yes, promote {challenger.id}",
        lambda: _served(f"Promoting {challenger.id}", promote),
        key=f"promote_{challenger.id}",
        icon=":material/publish:",
        disabled=not actor,
    )


@st.dialog("Reject the challenger", icon=":material/block:")
def confirm_rejection(app: App, challenger: ModelVersion, champion: ModelVersion) -> None:
    """Asks for the reason; the champion stays in service."""
    st.write(f"**{champion.id}** stays in service, and **{challenger.id}** is no longer its challenger.")
    actor, reason = _decided(app, challenger, champion, "Reason", key="rejection_reason")
    confirm_or_cancel(
        f"Yes, reject {challenger.id}",
        lambda: _reject(app, challenger, actor, reason),
        key=f"reject_{challenger.id}",
        icon=":material/block:",
        disabled=not (actor and reason),
    )


def _reject(app: App, challenger: ModelVersion, actor: str, reason: str) -> str:
    deployment.reject(app, challenger.id, actor=actor, reason=reason)
    return f"{challenger.id} is rejected"


def rollback(app: App) -> None:
    """The button that opens the confirmation; disabled if there is no earlier model."""
    back_to = deployment.previous(app)
    label = f"Roll back to {back_to}" if back_to else "Roll back"
    why = None if back_to else "No earlier model to roll back to."
    if st.button(label, key="rollback", icon=":material/undo:", disabled=back_to is None, help=why) and back_to:
        confirm_rollback(app, back_to)


@st.dialog("Roll back", icon=":material/undo:")
def confirm_rollback(app: App, back_to: str) -> None:
    """Confirmation before an earlier model returns to service."""
    st.write(f"**{back_to}** returns to service; the current model is marked as rejected.")
    actor = actor_input()
    confirm_or_cancel(
        f"Yes, roll back to {back_to}",
        lambda: _served(f"Rolling back to {back_to}", lambda: deployment.rollback(app, actor=actor)),
        key=f"rollback_{back_to}",
        icon=":material/undo:",
        disabled=not actor,
    )


def _served(title: str, change: Callable[[], Endpoint]) -> str:
    return change_serving(title, change, lambda endpoint: f"{endpoint.config.model} is now in service")
