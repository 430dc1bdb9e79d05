"""The guided demo: its start form, and its stages."""

from typing import Literal

import streamlit as st

from scones_core.ports import Endpoint
from scones_core.services import App, deployment
from scones_core.services.demo import Stage
from scones_core.ui.overview.demo_runner import MOST_IMAGES, TITLES, Story, get_demo
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.source_input import Chosen, source_input
from scones_core.ui.shell.text import plain

State = Literal["running", "complete", "error"]

EVERY = 0.7  # seconds between updates
HEIGHT = 395  # pixels of a running demo; with the strip above it fills a screen of 900


def running_demo(app: App) -> None:
    """The running demo, if any; scrolls to the newest stage."""
    story = get_demo().story
    if story is None or not story.running:
        return
    told = len(story.told)
    with st.container(border=True):
        _headline(story)
        with st.container(height=HEIGHT, border=False, autoscroll=True):
            for stage in list(Stage)[:told]:
                _show(app, story, stage)
            st.fragment(run_every=EVERY)(_stage_at_work)(app, story, told)


def _stage_at_work(app: App, story: Story, told: int) -> None:
    """The only part that is refreshed periodically; when its stage ends, the page reruns."""
    if told != len(story.told) or story.current is None:
        st.rerun()
    _show(app, story, story.current)


def demo_section(app: App) -> None:
    """What the demo is, and its start form."""
    with st.container(border=True):
        st.subheader("Guided demo", anchor=False)
        st.markdown(
            "Watch the whole loop run: load, train, deploy, classify, monitor, review, retrain, compare, promote. A "
            "scripted reviewer labels the images from the known answers."
        )
        demo_controls(app)


def demo_controls(app: App) -> None:
    """Source, length and the button that starts the demo."""
    with st.expander("Choose source and length", icon=":material/tune:"):
        chosen = source_input(key="demo", kinds=("sample", "cifar100", "path"), pool=False)
        images = st.slider("Images to classify", 20, MOST_IMAGES, 60, step=20, key="demo_images")
    with st.container(horizontal=True, vertical_alignment="center"):
        _start_button(app, chosen, images, disabled=demo_is_running() or bool(chosen.missing))
        st.caption("It loads a dataset and deploys its own model. It keeps running if you leave this page.")


def demo_is_running() -> bool:
    story = get_demo().story
    return story is not None and story.running


def ended_demo(app: App) -> None:
    """The last demo, once it has ended."""
    story = get_demo().story
    if story and not story.running:
        _headline(story)
        _stages(app, story)


def _start_button(app: App, chosen: Chosen, images: int, *, disabled: bool) -> None:
    """Starts at once if no model is in service; otherwise asks for confirmation."""
    label, icon = "Run the guided demo", ":material/play_circle:"
    serving = deployment.endpoint(app)
    if serving is None:
        action_button(
            label,
            lambda: _start(app, chosen, images),
            key="run_demo",
            icon=icon,
            primary=True,
            disabled=disabled,
            help=chosen.missing,
        )
    elif st.button(label, key="run_demo", icon=icon, disabled=disabled, help=chosen.missing):
        confirm_demo(app, chosen, images, serving)


@st.dialog("Replace the model in service?", icon=":material/warning:")
def confirm_demo(app: App, chosen: Chosen, images: int, serving: Endpoint) -> None:
    """Confirmation before the demo's model replaces another."""
    st.write(
        f"**{serving.config.model}** is in service on **{serving.name}**. The demo loads its own dataset, makes it "
        "current, and replaces the model. To restore the model, roll back on **Models**."
    )
    action_button(
        "Yes, run the demo here",
        lambda: _start(app, chosen, images, replace=True),
        key="confirm_demo",
        icon=":material/play_circle:",
        primary=True,
    )


def _start(app: App, chosen: Chosen, images: int, *, replace: bool = False) -> None:
    get_demo().start(app, source=chosen.spec(app), classes=chosen.classes, images=images, replace=replace)


def _stages(app: App, story: Story) -> None:
    for stage in Stage:
        if story.ended(stage) or stage is story.current:
            _show(app, story, stage)


def _headline(story: Story) -> None:
    of = len(Stage)
    if story.running and story.current:
        told = len(story.told)
        st.progress(told / of, text=f"Stage {told + 1} of {of}: {TITLES[story.current]}")
    elif story.error:
        st.error(f"The demo stopped. {plain(story.error)}", icon=":material/error:")
    else:
        st.success("Demo finished: every stage of the loop ran once.", icon=":material/celebration:")


def _show(app: App, story: Story, stage: Stage) -> None:
    from scones_core.ui.overview.demo_stages import show_stage  # brings charts, which the first page does without

    show_stage(app, story, stage)
