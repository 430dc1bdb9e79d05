"""Labels that are probably wrong: a review queue of them, and the dataset version with what reviewers decided."""

import streamlit as st

from scones_core.domain.datasets import DatasetVersion
from scones_core.services import App, label_suspects, retraining
from scones_core.ui.data.dataset_view import OPENED
from scones_core.ui.shell import navigation
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.session import get_background
from scones_core.ui.shell.task_progress import watch
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.user import user

TASK = "labels"  # name of the background task
SIZE = 50  # images, unless asked otherwise


def suspects_view(app: App, version: DatasetVersion, *, current: bool) -> None:
    """The queues of this version's suspected labels, and what makes one.  current : whether it is the current one."""
    watch(TASK)
    made = list(label_suspects.queues_of(app, version))
    for queue in made:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            navigation.link("review", plain(queue.name), query={"queue": str(queue.id)}, icon=":material/rule:")
            done, model = queue.progress, queue.filter["model"]
            st.caption(f"{done.decided:,} of {done.size:,} decided · doubted by {model}", width="stretch")
    model = label_suspects.trained_on(app, version)
    if model is None:
        st.info("No model has been trained on this version yet. Train one to check its labels.", icon=":material/rule:")
        return
    if not current:
        st.caption("Make this version the current one to check its labels.")
        return
    st.caption(
        f"Train and test images whose label is contradicted most by models that had not seen them ({model.id} and its "
        "cross-validation, repeated with other folds and without the most doubtful images). They are hard or wrong: "
        "review them."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = int(st.number_input("Images", 1, 1_000, SIZE, key="suspects_size", width=160))
        action_button(
            "Check labels",
            lambda: _check(app, version, size),
            key="check_labels",
            icon=":material/rule:",
            primary=not made,
            help="Makes a review queue. Takes as long as three trainings.",
        )
        action_button(
            "Create version with reviewed labels",
            lambda: _apply(app),
            key="apply_labels",
            icon=":material/done_all:",
            primary=bool(made),
            disabled=not any(queue.progress.decided for queue in made),
            help="Retraining does so, too. This version stays as it is.",
        )


def _check(app: App, version: DatasetVersion, size: int) -> None:
    name, by = f"Suspected labels of {version.id}", user()
    get_background().start(
        TASK,
        "Checking labels",
        lambda progress: label_suspects.make_queue(app, name, size=size, by=by, progress=progress),
    )


def _apply(app: App) -> str:
    new = retraining.new_dataset(app, min_labels=0)
    st.session_state.pop(OPENED, None)
    return f"Dataset version {new.id} created"
