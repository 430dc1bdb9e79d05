"""The guided demo: one per server process, shown in any number of browsers.

It keeps running when its page is closed; another browser, or the same one later, sees its current state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from scones_core.errors import BadInput
from scones_core.services import App, demo
from scones_core.services.app import Progress
from scones_core.services.background import Background, BackgroundTask
from scones_core.services.demo import Stage, Told
from scones_core.ui.shell.session import get_background

_NAME = "demo"
MOST_IMAGES = 500

Run = Callable[..., Any]


TITLES = {
    Stage.ETL: "Load images",
    Stage.TRAIN: "Train a first model",
    Stage.DEPLOY: "Deploy it to the endpoint",
    Stage.CLASSIFY: "Classify pool images with the workflow",
    Stage.INGEST: "Read what the endpoint captured",
    Stage.MONITOR: "Check the confidences",
    Stage.REVIEW: "Review the least confident images",
    Stage.RETRAIN: "Retrain with the reviewed labels, and compare",
    Stage.PROMOTE: "Promote the challenger",
}


@dataclass
class Story:
    """State of a demo. Appended to by the demo's thread; readers take copies."""

    source: str
    images: int
    task: BackgroundTask | None = None
    told: list[Told] = field(default_factory=list)
    log: dict[Stage, list[str]] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        return self.task is not None and self.task.running

    @property
    def error(self) -> str | None:
        return self.task.error if self.task else None

    @property
    def current(self) -> Stage | None:
        """The running stage, or the one that failed; None once the demo has finished."""
        if self.task is None or not (self.task.running or self.task.error):
            return None
        return list(Stage)[min(len(self.told), len(Stage) - 1)]

    def result(self, stage: Stage) -> Any:
        """Result of a finished stage; None before."""
        return next((told.result for told in list(self.told) if told.stage is stage), None)

    def ended(self, stage: Stage) -> bool:
        return any(told.stage is stage for told in list(self.told))

    def add_log(self, line: str) -> None:
        self.log.setdefault(list(Stage)[min(len(self.told), len(Stage) - 1)], []).append(line)


class DemoRunner:
    """At most one demo at a time; the last one is kept for display."""

    def __init__(self, tasks: Background) -> None:
        self._tasks = tasks
        self.story: Story | None = None

    def start(
        self,
        app: App,
        *,
        source: str,
        images: int,
        classes: Sequence[str] | None = None,
        replace: bool = False,
        run: Run = demo.run,
    ) -> Story:
        """Start a demo in the background. Raises BadInput if `images` is out of range, Conflict while a demo runs.

        replace : if False, also raises Conflict if a model is in service, which the demo would replace.
        """
        if not 1 <= images <= MOST_IMAGES:
            raise BadInput(f"The number of images is {images}: choose between 1 and {MOST_IMAGES}.")
        demo.check(app, replace=replace)
        story = Story(source, images)

        def work(progress: Progress) -> None:
            told_as_it_goes = run(
                app,
                source=source,
                images=images,
                classes=classes,
                replace=replace,
                progress=progress,
                on_log=story.add_log,
            )
            for told in told_as_it_goes:
                story.told.append(told)
                progress(0, None, "Next stage")

        story.task = self._tasks.start(_NAME, "The guided demo", work)
        self.story = story
        return story


@st.cache_resource(show_spinner=False)
def get_demo() -> DemoRunner:
    """The demo of this server process."""
    return DemoRunner(get_background())
