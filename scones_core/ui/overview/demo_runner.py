"""The guided demo: one per server process, in a home of its own, shown in any number of browsers.

It keeps running when its page is closed; another browser, or the same one later, sees its current state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from scones_core.errors import BadInput, Conflict
from scones_core.services import App, demo, training
from scones_core.services.app import Progress
from scones_core.services.background import Background, BackgroundTask
from scones_core.services.demo import Stage, StageResult
from scones_core.ui.shell.demo_home import DemoHome
from scones_core.ui.shell.session import demo_home, main_app

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
    Stage.PROMOTE: "Keep the better model in service",
}


class _Cancelled(Conflict):
    """Raised inside the demo where it was cancelled."""


@dataclass
class Story:
    """State of a demo. Appended to by the demo's thread; readers take copies."""

    app: App
    source: str
    classes: Sequence[str] | None
    images: int
    task: BackgroundTask | None = None
    results: list[StageResult] = field(default_factory=list)
    log: dict[Stage, list[str]] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        return self.task is not None and self.task.running

    @property
    def cancelled(self) -> bool:
        return self.task is not None and self.task.asked_to_stop and not self.finished

    @property
    def finished(self) -> bool:
        return self.ended(Stage.PROMOTE)

    @property
    def error(self) -> str | None:
        return self.task.error if self.task else None

    @property
    def seconds(self) -> float:
        """Since the start, or from start to end."""
        return ((self.task.ended or datetime.now(UTC)) - self.task.started).total_seconds() if self.task else 0.0

    @property
    def current(self) -> Stage | None:
        """The running stage, or the one that failed; None once the demo has finished."""
        if self.task is None or not (self.task.running or self.task.error):
            return None
        return self._stage

    @property
    def _stage(self) -> Stage:
        return list(Stage)[min(len(self.results), len(Stage) - 1)]

    def result(self, stage: Stage) -> Any:
        """Result of a finished stage; None before."""
        return next((found.result for found in list(self.results) if found.stage is stage), None)

    def ended(self, stage: Stage) -> bool:
        return any(found.stage is stage for found in list(self.results))

    def cancel(self) -> None:
        """Stop the demo: its training job at once, anything else at its next step."""
        if self.task:
            self.task.stop()
        for job in training.jobs(self.app):
            if not job.status.ended:
                training.stop(self.app, job.name)

    def go_on(self) -> None:
        """Raises _Cancelled if the demo has been cancelled."""
        if self.task and not self.task.go_on():
            raise _Cancelled("The demo was cancelled.")

    def add_log(self, line: str) -> None:
        self.go_on()
        self.log.setdefault(self._stage, []).append(line)


class DemoRunner:
    """At most one demo at a time; the last one is kept for display."""

    def __init__(self, home: DemoHome, tasks: Background) -> None:
        self._home, self._tasks = home, tasks
        self.story: Story | None = None

    @property
    def running(self) -> bool:
        return self.story is not None and self.story.running

    def start(
        self,
        *,
        source: str,
        images: int,
        classes: Sequence[str] | None = None,
        run: Run = demo.run,
    ) -> Story:
        """Start a demo in a new home. Raises BadInput if `images` is out of range, Conflict while a demo runs."""
        if not 1 <= images <= MOST_IMAGES:
            raise BadInput(f"The number of images is {images}: choose between 1 and {MOST_IMAGES}.")
        self._refuse_while_running()
        story = Story(self._home.new(), source, classes, images)

        def work(progress: Progress) -> None:
            def stage_progress(done: int, total: int | None, what: str) -> None:
                story.go_on()
                progress(done, total, what)

            found = run(
                story.app, source=source, images=images, classes=classes, progress=stage_progress, on_log=story.add_log
            )
            for result in found:
                story.results.append(result)
                stage_progress(0, None, "Next stage")

        story.task = self._tasks.start(_NAME, "The guided demo", work)
        self.story = story
        return story

    def reset(self) -> None:
        """Delete the demo and its home. Raises Conflict while it runs."""
        self._refuse_while_running()
        self.story = None
        self._home.discard()

    def _refuse_while_running(self) -> None:
        if self.running:
            raise Conflict("The guided demo is still running: cancel it, or wait until it has finished.")


@st.cache_resource(show_spinner=False)
def get_demo() -> DemoRunner:
    """The demo of this server process."""
    return DemoRunner(demo_home(), main_app().background)
