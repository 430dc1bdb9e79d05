"""The threshold that pages show is the one that filters, whenever a change of it was cut short."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scones_core.services import App, monitoring


class Killed(BaseException):
    """The process is gone."""


def cut_short(app: App, *, after: bool) -> None:
    """Set the threshold to 0.8 in a process that is killed before or after the function has it."""

    class Workflows:
        def __getattr__(self, name: str) -> Any:
            return getattr(app.backend.workflows, name)

        def configure(self, environment: Any) -> None:
            if after:
                app.backend.workflows.configure(environment)
            raise Killed

    with pytest.raises(Killed):
        monitoring.set_threshold(replace(app, backend=replace(app.backend, workflows=Workflows())), 0.8)  # type: ignore[arg-type]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("before", [None, 0.95])
def test_a_change_that_was_cut_short_is_taken_back_at_the_next_start(
    open_home: Callable[[], App], before: float | None, after: bool
):
    app = open_home()
    if before is not None:
        monitoring.set_threshold(app, before)
    cut_short(app, after=after)
    again = open_home()
    assert monitoring.threshold(again) == (before or 0.93)
    assert float(again.backend.workflows.environment().get("THRESHOLD", 0.93)) == (before or 0.93)


def test_a_function_that_was_changed_by_hand_is_set_right(open_home: Callable[[], App]):
    app = open_home()
    monitoring.set_threshold(app, 0.9)
    app.backend.workflows.configure({"THRESHOLD": "nonsense"})
    assert open_home().backend.workflows.environment()["THRESHOLD"] == "0.9"
