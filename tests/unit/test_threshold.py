"""The threshold that pages show is the one that filters, whenever a change of it was cut short."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scones_core.errors import NotFound
from scones_core.services import App, classification, monitoring, threshold


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


def test_changes_are_recorded_with_who_made_them_and_what_they_rest_on(open_home: Callable[[], App]):
    app = open_home()
    monitoring.set_threshold(app, 0.9, actor="ann")
    monitoring.set_threshold(app, 0.8, actor="bob", evidence={"audits": [1], "risk_upper_bound": 0.04})
    newest, oldest = threshold.changes(app)
    assert (newest.actor, newest.before, newest.threshold) == ("bob", 0.9, 0.8)
    assert newest.evidence == {"audits": [1], "risk_upper_bound": 0.04}
    assert (oldest.actor, oldest.before, oldest.threshold, oldest.evidence) == ("ann", 0.93, 0.9, {})
    assert newest.time >= oldest.time


def test_a_change_can_be_taken_back_which_is_recorded_too(open_home: Callable[[], App]):
    app = open_home()
    with pytest.raises(NotFound, match="nothing to take back"):
        threshold.take_back(app, actor="ann")
    monitoring.set_threshold(app, 0.8, actor="ann")
    assert threshold.take_back(app, actor="bob") == 0.93
    assert monitoring.threshold(app) == 0.93
    assert app.backend.workflows.environment()["THRESHOLD"] == "0.93"
    assert [(change.actor, change.threshold) for change in threshold.changes(app)] == [("bob", 0.93), ("ann", 0.8)]


def test_the_next_execution_obeys_a_new_threshold(serving: App):
    [key] = classification.sample_keys(serving, 1, seed=0)
    monitoring.set_threshold(serving, 0.4)
    [accepted] = classification.classify(serving, [key])
    monitoring.set_threshold(serving, 0.9999999)
    [refused] = classification.classify(serving, [key])
    assert (accepted.status, refused.status) == ("SUCCEEDED", "FAILED")
    threshold.take_back(serving)
    assert [item.status for item in classification.classify(serving, [key])] == ["SUCCEEDED"]
