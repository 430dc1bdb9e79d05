"""Answers of reviewers, and what they mean."""

from datetime import UTC, datetime

import pytest

from scones_core.domain.review import OTHER, SKIP, Decision, Status, in_words, label_of, status_of
from scones_core.domain.votes import Standing, standing

CLASSES = ("bicycle", "motorcycle")


def decision(id: int, label: str | None, *, undone: bool = False) -> Decision:
    return Decision(id, "event", label, "ann", "", datetime(2026, 1, 1, tzinfo=UTC), undone)


@pytest.mark.parametrize(
    ("answer", "classes", "label"),
    [
        ("bicycle", CLASSES, "bicycle"),
        ("other", CLASSES, OTHER),
        ("skip", CLASSES, None),
        (OTHER, CLASSES, OTHER),
        (SKIP, CLASSES, None),
        ("other", ("other", "skip"), "other"),
        ("skip", ("other", "skip"), "skip"),
        (OTHER, ("other", "skip"), OTHER),
        (SKIP, ("other", "skip"), None),
    ],
)
def test_other_and_skip_are_keywords_unless_a_class_has_that_name(answer: str, classes: tuple[str, ...], label: str):
    assert label_of(answer, classes) == label


@pytest.mark.parametrize("answer", ["scooter", "", "/bicycle", "Bicycle"])
def test_an_answer_that_is_no_class_is_refused(answer: str):
    with pytest.raises(ValueError, match=f"^{answer}$"):
        label_of(answer, CLASSES)


@pytest.mark.parametrize(
    ("label", "classes", "said"),
    [(OTHER, CLASSES, "other"), (OTHER, ("other",), OTHER), ("bicycle", CLASSES, "bicycle"), (None, CLASSES, None)],
)
def test_none_of_the_classes_is_said_as_other_unless_a_class_is_called_so(
    label: str | None, classes: tuple[str, ...], said: str | None
):
    assert in_words(label, classes) == said


def test_the_last_decision_that_was_not_taken_back_stands():
    decisions = [decision(1, "bicycle"), decision(2, "motorcycle"), decision(3, "bicycle", undone=True)]
    assert standing(decisions) == Standing(decisions[1], decisions[1].label)
    assert standing(decisions[2:]) is None


@pytest.mark.parametrize(
    ("label", "prediction", "status"),
    [
        ("bicycle", "bicycle", Status.CONFIRMED),
        ("bicycle", "motorcycle", Status.RELABELLED),
        (OTHER, "bicycle", Status.RELABELLED),
        ("bicycle", None, Status.LABELLED),
        (None, "bicycle", Status.SKIPPED),
        (None, None, Status.SKIPPED),
    ],
)
def test_a_label_confirms_or_replaces_a_prediction(label: str | None, prediction: str | None, status: Status):
    assert status_of(decision(1, label), prediction) is status
    assert status_of(None, prediction) is Status.PENDING
