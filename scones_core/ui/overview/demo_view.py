"""The guided demo: its start form, its stages, and what it gained."""

import streamlit as st

from scones_core.domain.comparison import Verdict
from scones_core.domain.models import ModelVersion
from scones_core.services import demo
from scones_core.services.demo import Stage
from scones_core.services.retraining import Retrained
from scones_core.ui.overview.demo_runner import MOST_IMAGES, TITLES, Story, get_demo
from scones_core.ui.shell.actions import action_button
from scones_core.ui.shell.session import demo_home, in_demo, look_at_demo, main_app
from scones_core.ui.shell.source_input import Chosen, source_input
from scones_core.ui.shell.text import plain
from scones_core.ui.shell.widgets import duration

EVERY = 0.7  # seconds between updates
HEIGHT = 395  # pixels of a running demo; with the strip above it fills a screen of 900


def demo_in_view() -> bool:
    """Whether this session looks at the demo, and it is running or was run by this server."""
    return in_demo() and get_demo().story is not None


def demo_is_running() -> bool:
    return get_demo().running


def running_demo() -> None:
    """The running demo; scrolls to the newest stage. If it has just ended, the page reruns."""
    story = get_demo().story
    if story is None:
        return
    ended = len(story.results)
    with st.container(border=True):
        st.fragment(run_every=EVERY)(_headline)(story, ended)
        with st.container(height=HEIGHT, border=False, autoscroll=True):
            for stage in list(Stage)[:ended]:
                _show(story, stage)
            st.fragment(run_every=EVERY)(_stage_at_work)(story, ended)


def _headline(story: Story, ended: int) -> None:
    """Stage, elapsed time, and a button to cancel."""
    _rerun_after(story, ended)
    of = len(Stage)
    with st.container(horizontal=True, vertical_alignment="center"):
        title = TITLES[story.current] if story.current else ""
        st.progress(ended / of, text=f"Stage {ended + 1} of {of}: {title} · {duration(story.seconds)}")
        if story.cancelled:
            st.caption("Cancelling…", width="content")
        else:
            action_button("Cancel", story.cancel, key="cancel_demo", icon=":material/cancel:")


def _stage_at_work(story: Story, ended: int) -> None:
    """With the headline the only part that is refreshed periodically; when its stage ends, the page reruns."""
    _rerun_after(story, ended)
    if story.current:
        _show(story, story.current)


def _rerun_after(story: Story, ended: int) -> None:
    if ended != len(story.results) or story.current is None:
        st.rerun()


def demo_section() -> None:
    """What the demo is, and its start form; or the way back to it."""
    with st.container(border=True):
        st.header("Guided demo", anchor=False)
        st.markdown(
            "Watch the whole loop run: load, train, deploy, classify, monitor, review, retrain, compare, promote. A "
            "scripted reviewer labels the images from the known answers."
        )
        demo_controls()


def demo_controls() -> None:
    """Source, length and the button that starts the demo; what there is of an earlier one."""
    if get_demo().running:
        st.caption("The demo is running.")
        open_demo_button()
        return
    with st.expander("Choose source and length", icon=":material/tune:"):
        chosen = source_input(key="demo", kinds=("sample", "cifar100", "path"), pool=False)
        images = st.slider("Images to classify", 20, MOST_IMAGES, demo.IMAGES, step=20, key="demo_images")
    with st.container(horizontal=True, vertical_alignment="center"):
        action_button(
            "Run the guided demo",
            lambda: _start(chosen, images),
            key="run_demo",
            icon=":material/play_circle:",
            primary=True,
            disabled=bool(chosen.missing),
            help=chosen.missing,
        )
        if demo_home().exists:
            open_demo_button()
            action_button("Delete the demo", get_demo().reset, key="reset_demo", icon=":material/delete:")
    st.caption("It runs in a home of its own on this machine and changes nothing else. It needs no account.")


def open_demo_button() -> None:
    if st.button("Open the demo", icon=":material/open_in_new:", key="open_demo"):
        look_at_demo(True)
        st.rerun()


def ended_demo() -> None:
    """What the last demo gained, and its stages."""
    story = get_demo().story
    if story is None or story.running:
        return
    with st.container(border=True):
        if story.finished:
            _gained(story)
        elif story.cancelled:
            st.info(f"Demo cancelled after {duration(story.seconds)}.", icon=":material/cancel:")
        else:
            st.error(f"The demo stopped. {plain(story.error or '')}", icon=":material/error:")
        with st.container(horizontal=True):
            action_button("Run it again", lambda: _again(story), key="run_demo_again", icon=":material/replay:")
            action_button("Delete the demo", _delete, key="delete_demo", icon=":material/delete:")
    for stage in Stage:
        if story.ended(stage) or (stage is story.current and not story.cancelled):
            _show(story, stage)


def _gained(story: Story) -> None:
    """The ending in plain words: right before, looked at, right after."""
    first: ModelVersion = story.result(Stage.TRAIN)
    retrained: Retrained = story.result(Stage.RETRAIN)
    comparison = retrained.comparison
    before, after = (
        round(share * comparison.images) for share in (comparison.champion_accuracy, comparison.challenger_accuracy)
    )
    looked = sum(one.label is not None for one in story.result(Stage.REVIEW))
    st.header(f"Right on {before} of {comparison.images} before, on {after} after", anchor=False)
    st.markdown(
        f"The first model, **{first.id}**, was right on {before} of {comparison.images} sealed test images. The "
        f"reviewer looked at {looked} images. The second, **{retrained.challenger.id}**, is right on {after}.",
        help="Neither model was trained on any of the test images.",
    )
    low, high = (round(100 * end) for end in comparison.difference_interval)
    evidence = f"McNemar's test, mid-p: p = {comparison.p_value:.3f}. 95% interval of the gain: {low} to {high} points."
    st.markdown(_CONCLUSIONS[comparison.verdict], help=evidence)
    source = "the generated sample" if story.source == "sample" else plain(story.source)
    st.caption(f"{duration(story.seconds)} on this machine, from {source}.")


_CONCLUSIONS = {
    Verdict.BETTER: ":material/trophy: That is more than chance explains, so the second model is in service.",
    Verdict.NO_DIFFERENCE: ":material/balance: Chance can explain that difference, so the first model stays in "
    "service. More test images, or more reviewed ones, would tell.",
    Verdict.WORSE: ":material/undo: The second model is worse, so the first stays in service.",
}


def _start(chosen: Chosen, images: int) -> None:
    spec, classes = chosen.spec(main_app()), chosen.classes
    get_demo().start(source=spec, classes=classes, images=images)
    look_at_demo(True)


def _again(story: Story) -> None:
    get_demo().start(source=story.source, classes=story.classes, images=story.images)


def _delete() -> None:
    get_demo().reset()
    look_at_demo(False)


def _show(story: Story, stage: Stage) -> None:
    from scones_core.ui.overview.demo_stages import show_stage  # brings charts, which the first page does without

    show_stage(story.app, story, stage)
