"""Audits in a home: drawn from the model's captured inferences, labelled in Review, and what they then say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scones_core.domain.audit_draw import AuditKind, inclusion_probabilities
from scones_core.domain.review import Strategy
from scones_core.errors import BadInput, NotFound
from scones_core.services import App, audit_draws, audits, capture, classification, monitoring, promises, queues, review
from tests.conftest import MadeHome, png
from tests.unit.captured_world import copied


def label_of(item: review.Item) -> str:
    """The known label: generated images alternate."""
    number = int(item.image.rsplit("-", 1)[1].removesuffix(".png"))
    return "bicycle" if number % 2 == 0 else "motorcycle"


def send(app: App, count: int, *, first: int = 0) -> None:
    keys = []
    for number in range(first, first + count):
        key = f"traffic/none/t-{number}.png"
        app.backend.objects.put(key, png(70_000 + number, upright=number % 2 == 0))
        keys.append(key)
    classification.classify(app, keys)
    capture.ingest(app)


def work(app: App, queue: int, count: int, reviewer: str = "ann") -> None:
    for _ in range(count):
        [item] = review.next_items(app, reviewer, queue=queue)
        review.decide(app, item.id, label_of(item), reviewer, queue=queue)


@pytest.fixture(scope="session")
def busy_home(trained_home: Path, made_home: MadeHome) -> Path:
    """A home with 60 captured inferences."""
    return made_home("busy", lambda app: send(app, 60), trained_home)


@pytest.fixture
def busy(busy_home: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    copied(busy_home, tmp_path)
    return open_home()


def test_an_audit_draws_with_known_probabilities_and_queues_what_it_drew(busy: App):
    audit = audit_draws.start(busy, 20, by="ann", seed=1)
    assert (audit.labels, audit.decided, audit.inferences, audit.kind) == (20, 0, 60, AuditKind.ACCURACY)
    queue = queues.get(busy, audit.queue)
    assert (queue.strategy, queue.progress.size, queue.created_by) == (Strategy.AUDIT, 20, "ann")
    found = audits.audited(busy, audit.id)
    assert found.probabilities == pytest.approx(inclusion_probabilities(found.sample.confidences, 20))
    item = review.next_items(busy, "ann", queue=audit.queue)[0]
    row = capture.inference(busy, item.id)
    assert item.probability == pytest.approx(
        float(found.probabilities[np.isclose(found.sample.confidences, row["confidence"])][0])
    )


def test_decisions_made_in_an_audit_keep_how_the_image_was_drawn(busy: App):
    audit = audit_draws.start(busy, 5, by="ann", seed=1)
    work(busy, audit.queue, 5)
    assert {row["strategy"] for row in review.reviewed(busy)} == {"audit"}
    assert audits.audited(busy).audit.complete


def test_an_audit_of_everything_gives_the_accuracy_itself(busy: App):
    audit = audit_draws.start(busy, 60, by="ann")
    work(busy, audit.queue, 60)
    found = audits.measured(busy, audits.audited(busy))
    assert found is not None
    rows = review.reviewed(busy)
    true = float(np.mean([row["label"] == row["prediction"] for row in rows]))
    assert found.accuracy.value == pytest.approx(true)
    assert found.accuracy.interval == pytest.approx((true, true))


def test_an_audit_in_progress_says_what_its_first_answers_say(busy: App):
    audit = audit_draws.start(busy, 30, by="ann", seed=3)
    assert audits.measured(busy, audits.audited(busy)) is None
    work(busy, audit.queue, 12)
    found = audits.audited(busy)
    assert (found.audit.decided, found.audit.complete) == (12, False)
    figures = audits.measured(busy, found)
    assert figures is not None
    assert figures.labels == 12
    assert figures.accuracy.interval[0] < figures.accuracy.value <= figures.accuracy.interval[1]
    assert found.sample.probabilities == pytest.approx(found.probabilities[found.sample.rows] * 12 / 30)


def test_labels_given_before_count_only_in_the_order_of_the_draw(busy: App):
    """Reviewed least confident first, then audited: the labels that are there are not the audit's first ones."""
    for item in review.next_items(busy, "ann", strategy=Strategy.LEAST_CONFIDENCE, count=10):
        review.decide(busy, item.id, label_of(item), "ann")
    audit = audit_draws.start(busy, 30, by="ann", seed=4)
    found = audits.audited(busy)
    assert found.audit.decided < 5
    work(busy, audit.queue, queues.progress(busy, audit.queue).size - queues.progress(busy, audit.queue).decided)
    assert audits.audited(busy).audit.complete


def test_skipped_and_other_images_count_as_what_they_are(busy: App):
    audit = audit_draws.start(busy, 60, by="ann")
    for number in range(60):
        [item] = review.next_items(busy, "ann", queue=audit.queue)
        label = None if number < 6 else "/other" if number < 9 else label_of(item)
        review.decide(busy, item.id, label, "ann", queue=audit.queue)
    found = audits.measured(busy, audits.audited(busy))
    assert found is not None
    assert found.unknown.value == pytest.approx(0.1)
    assert found.other.value == pytest.approx(0.05)
    low, high = found.accuracy.interval
    assert high - low == pytest.approx(0.1)
    assert high <= 0.95 + 1e-9


def test_a_decision_taken_back_is_no_answer(busy: App):
    audit = audit_draws.start(busy, 5, by="ann", seed=1)
    work(busy, audit.queue, 3)
    review.undo(busy, "ann")
    assert audits.audited(busy).audit.decided == 2


def test_later_inferences_do_not_change_an_audit(busy: App):
    audit = audit_draws.start(busy, 10, by="ann", seed=1)
    send(busy, 20, first=60)
    assert audits.audited(busy, audit.id).audit.inferences == 60
    assert len(audits.audited(busy, audit.id).sample.confidences) == 60
    assert audit_draws.start(busy, 10, by="ann").inferences == 80


def test_a_promise_audit_draws_at_random_above_its_cut(busy: App):
    audit = audit_draws.start(busy, 25, kind=AuditKind.PROMISE, max_risk=0.2, by="ann", seed=2)
    found = audits.audited(busy, audit.id)
    drawn = found.probabilities > 0
    assert set(found.sample.confidences[drawn] > audit.cut) == {True}
    assert len(set(found.probabilities[drawn].tolist())) == 1
    assert audits.measured(busy, found) is None


def test_a_promise_about_production_is_found_once_the_labels_are_enough(busy: App):
    audit = audit_draws.start(busy, 50, kind=AuditKind.PROMISE, max_risk=0.3, by="ann", seed=2)
    before = promises.production(busy, max_risk=0.3, level=0.8)
    assert (before.found, before.labels_used) == (None, 0)
    assert before.labels_needed
    work(busy, audit.queue, audit.labels)
    after = promises.production(busy, max_risk=0.3, level=0.8)
    assert after.found is not None
    assert after.found.risk_upper_bound <= 0.3
    assert (after.labels_used, after.labels_needed, after.audits) == (audit.labels, 0, (audit.id,))
    assert 0 < after.coverage <= 1


def test_no_promise_rests_on_a_queue_of_the_least_confident(busy: App):
    for item in review.next_items(busy, "ann", strategy=Strategy.LEAST_CONFIDENCE, count=50):
        review.decide(busy, item.id, label_of(item), "ann")
    with pytest.raises(NotFound, match="No audit"):
        promises.production(busy, max_risk=0.3, level=0.8)


def test_the_labels_that_are_needed_find_a_promise(busy: App):
    needed = promises.labels_needed(busy, max_risk=0.3, level=0.8)
    assert needed
    audit = audit_draws.start(busy, needed, kind=AuditKind.PROMISE, max_risk=0.3, by="ann", seed=2)
    work(busy, audit.queue, 4)
    halfway = promises.production(busy, max_risk=0.3, level=0.8)
    assert halfway.found is None
    assert halfway.labels_needed
    assert halfway.labels_needed < needed
    work(busy, audit.queue, needed - 4)
    assert promises.production(busy, max_risk=0.3, level=0.8).found


def test_answers_of_an_audit_of_accuracy_do_not_shorten_a_promise_audit(busy: App):
    """From the first promise audit on, only promise audits count."""
    needed = promises.labels_needed(busy, max_risk=0.1, level=0.95)
    audit = audit_draws.start(busy, 10, by="ann", seed=1)
    work(busy, audit.queue, 10)
    assert promises.production(busy, max_risk=0.1, level=0.95).labels_needed == needed


@pytest.mark.parametrize(
    ("labels", "risk", "said"),
    [(0, 0.05, "at least 1 label"), (10, 0.0, "between 0 and 1"), (10, 1.0, "between 0 and 1")],
)
def test_senseless_audits_are_refused(busy: App, labels: int, risk: float, said: str):
    with pytest.raises(BadInput, match=said):
        audit_draws.start(busy, labels, max_risk=risk, by="ann")


def test_without_inferences_there_is_no_audit(serving: App):
    with pytest.raises(NotFound, match="no captured inferences"):
        audit_draws.start(serving, 10, by="ann")
    with pytest.raises(NotFound, match="No audit yet"):
        audits.audited(serving)


def test_the_threshold_of_held_out_answers_and_test_images_rests_on_both(busy: App):
    alone = monitoring.measured(busy)
    more = monitoring.Measured(alone.model, alone.test_set, np.full(200, 0.995), np.zeros(200, int), np.full(200, True))
    with pytest.raises(NotFound):
        monitoring.propose_threshold(busy, max_risk=0.02, level=0.9)
    both = monitoring.propose_threshold(busy, max_risk=0.02, level=0.9, held_out=more)
    assert both.labels_used == len(alone.correct) + 200


def test_audits_before_and_from_the_first_promise_audit_on_share_the_error_probability(busy: App):
    """Both may promise in turn: together they err as often as one promise may."""
    accuracy = audit_draws.start(busy, 60, by="ann")
    work(busy, accuracy.queue, 60)
    alone = promises.production(busy, max_risk=0.4, level=0.8)
    later = audit_draws.start(busy, 40, kind=AuditKind.PROMISE, max_risk=0.4, by="ann")
    both = promises.production(busy, max_risk=0.4, level=0.8)
    assert alone.found is not None
    assert both.found is not None
    assert (alone.audits, both.audits) == ((accuracy.id,), (later.id,))
    assert (1 - alone.found.level) + (1 - both.found.level) == pytest.approx(1 - 0.8)


def test_risk_and_coverage_in_production_are_those_of_the_audited_period(busy: App):
    audit = audit_draws.start(busy, 60, by="ann")
    work(busy, audit.queue, 60)
    found = audits.audited(busy)
    rows = {row["threshold"]: row for row in audits.risk_coverage(found)}
    confidences, wrong = found.sample.confidences[found.sample.rows], found.sample.wrong
    for threshold in (0.5, 0.9, 0.95):
        accepted = confidences > threshold
        assert rows[threshold]["coverage"] == pytest.approx(accepted.mean())
        assert rows[threshold]["risk"] == pytest.approx(wrong[accepted].mean())
    assert list(rows) == [step / 100 for step in range(50, 100)]
