"""Model versions: their accuracy, their names, and what a rollback steps back through."""

from datetime import UTC, datetime

import pytest

from scones_core.domain.confidence import accuracy_interval
from scones_core.domain.models import Action, Deployment, accuracy_of, number_of, service_stack


def stack(*changes: tuple[Action, int]) -> list[int]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return service_stack([Deployment(i, now, "e", model, action, "ann") for i, (action, model) in enumerate(changes)])


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ([], []),
        ([(Action.DEPLOY, 1), (Action.PROMOTE, 2)], [1, 2]),
        ([(Action.DEPLOY, 1), (Action.DEPLOY, 1)], [1]),
        ([(Action.DEPLOY, 1), (Action.PROMOTE, 2), (Action.DEPLOY, 1)], [1, 2, 1]),
        ([(Action.DEPLOY, 1), (Action.PROMOTE, 2), (Action.ROLLBACK, 1)], [1]),
        ([(Action.DEPLOY, 1), (Action.PROMOTE, 2), (Action.ROLLBACK, 1), (Action.PROMOTE, 3)], [1, 3]),
        ([(Action.DEPLOY, 1), (Action.START_TRIAL, 2), (Action.CHANGE_SHARE, 2), (Action.END_TRIAL, 2)], [1]),
        ([(Action.DEPLOY, 1), (Action.START_TRIAL, 2), (Action.PROMOTE, 2)], [1, 2]),
        ([(Action.DEPLOY, 1), (Action.PROMOTE, 2), (Action.PROMOTE, 3), (Action.ROLLBACK, 2)], [1, 2]),
        ([(Action.DEPLOY, 1), (Action.DELETE, 1), (Action.DEPLOY, 2)], [1, 2]),
    ],
)
def test_a_rollback_steps_back_through_the_models_that_served(changes: list[tuple[Action, int]], left: list[int]):
    assert stack(*changes) == left


def test_accuracy_is_the_diagonal_of_the_confusion_matrix_with_its_95_percent_interval():
    found = accuracy_of({"confusion": [[8, 2], [1, 9]]})
    assert (found.value, found.images) == (0.85, 20)
    assert (found.low, found.high) == accuracy_interval(17, 20, 0.95)


@pytest.mark.parametrize(
    ("id", "number"),
    [
        *(("v1", 1), ("v42", 42), ("v999999999", 999_999_999), ("v1000000000", None), ("v0", None), ("v01", None)),
        *(("1", None), ("v", None), ("V1", None), ("v1\n", None), ("v1 ", None), ("", None), (None, None)),
    ],
)
def test_a_model_version_is_named_v_and_its_number(id: str | None, number: int | None):
    assert number_of(id) == number
