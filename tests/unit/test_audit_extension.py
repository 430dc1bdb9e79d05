"""Audits that are extended, planned and set aside after drift."""

import io
from datetime import datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from scones_core.db.evidence_schema import audits as audit_table
from scones_core.db.schema import inferences
from scones_core.domain.audit_draw import AuditKind, inclusion_probabilities
from scones_core.domain.drift import SimulatedDrift
from scones_core.domain.inference_filter import InferenceFilter
from scones_core.errors import BadInput, NotFound
from scones_core.services import (
    App,
    audit_draws,
    audit_plans,
    audits,
    drift_standing,
    drift_watch,
    promises,
    queues,
    review,
    what_if,
)
from tests.unit.test_audits import busy, busy_home, send, work
from tests.unit.test_drift_watch import send as send_drifted

__all__ = ["busy", "busy_home"]


def test_labels_given_still_count_once_an_audit_is_extended(busy: App):
    audit = audit_draws.start(busy, 20, by="ann", seed=1)
    work(busy, audit.queue, 20)
    before = audits.measured(busy, audits.audited(busy))
    extended = audit_draws.extend(busy, 15, by="bob", seed=2)
    assert (extended.id, extended.queue, extended.decided, extended.target) == (audit.id, audit.queue, 20, 35)
    assert extended.labels == pytest.approx(35, abs=2)
    [step] = extended.extensions
    assert (step.created_by, step.seed, step.target, step.labels) == ("bob", 2, 35, extended.labels - 20)
    assert audits.measured(busy, audits.audited(busy)) == before
    assert queues.progress(busy, audit.queue).size == extended.labels
    work(busy, audit.queue, extended.labels - 20)
    found = audits.audited(busy)
    assert found.audit.complete
    assert len(set(found.sample.rows.tolist())) == extended.labels
    rates = inclusion_probabilities(found.sample.confidences, 35)
    assert found.sample.probabilities == pytest.approx(rates[found.sample.rows])
    after = audits.measured(busy, found)
    assert before is not None
    assert after is not None
    assert after.accuracy.labels == extended.labels
    assert after.accuracy.half_width < before.accuracy.half_width


def test_while_an_extension_is_labelled_the_weights_are_between_those_of_before_and_after(busy: App):
    audit = audit_draws.start(busy, 20, by="ann", seed=1)
    work(busy, audit.queue, 20)
    extended = audit_draws.extend(busy, 20, by="ann", seed=2)
    count = extended.labels - 20
    work(busy, audit.queue, count // 2)
    sample = audits.audited(busy).sample
    before, after = (inclusion_probabilities(sample.confidences, labels)[sample.rows] for labels in (20, 40))
    assert sample.probabilities == pytest.approx(before + (after - before) * (count // 2) / count)


def test_an_audit_extended_to_all_its_inferences_gives_the_accuracy_itself(busy: App):
    audit = audit_draws.start(busy, 20, by="ann", seed=1)
    work(busy, audit.queue, 20)
    assert audit_draws.extend(busy, 1_000, by="ann").labels == 60
    work(busy, audit.queue, 40)
    figures = audits.measured(busy, audits.audited(busy))
    rows = review.reviewed(busy)
    true = float(np.mean([row["label"] == row["prediction"] for row in rows]))
    assert figures is not None
    assert figures.accuracy.interval == pytest.approx((true, true))
    with pytest.raises(BadInput, match="All 60 inferences of audit 1 are labelled"):
        audit_draws.extend(busy, 5, by="ann")


def test_what_cannot_be_extended_says_why(busy: App):
    audit = audit_draws.start(busy, 20, by="ann", seed=1)
    work(busy, audit.queue, 12)
    with pytest.raises(BadInput, match="Audit 1 has 8 images left to label: label them first"):
        audit_draws.extend(busy, 5, by="ann")
    with pytest.raises(BadInput, match="at least 1 label"):
        audit_draws.extend(busy, 0, by="ann")
    audit_draws.start(busy, 5, kind=AuditKind.PROMISE, max_risk=0.4, by="ann")
    with pytest.raises(BadInput, match="about a promise"):
        audit_draws.extend(busy, 5, by="ann")
    with pytest.raises(NotFound, match="No audit 7"):
        audit_draws.extend(busy, 5, id=7, by="ann")
    assert audits.audited(busy, audit.id).audit.labels == 20


def copies(app: App, count: int, *, before: datetime) -> None:
    """Captured inferences that arrive late: they were made before an audit was drawn."""
    with app.db.write() as connection:
        rows = [dict(row) for row in connection.execute(sa.select(inferences).limit(count)).mappings()]
        late = [
            {**row, "event_id": f"late-{number}", "time": before - timedelta(seconds=number + 1), "confidence": 0.77}
            for number, row in enumerate(rows)
        ]
        connection.execute(sa.insert(inferences), late)


def test_an_extension_draws_from_the_inferences_of_then_not_from_late_ones(busy: App):
    audit = audit_draws.start(busy, 10, by="ann", seed=1)
    work(busy, audit.queue, 10)
    send(busy, 5, first=60)
    copies(busy, 8, before=audit.until)
    extended = audit_draws.extend(busy, 50, by="ann")
    assert (extended.labels, extended.inferences) == (60, 60)
    queued = review.next_items(busy, "bob", queue=audit.queue, count=100)
    assert len(queued) == 50
    assert not [item for item in queued if item.id.startswith("late")]


def test_an_audit_from_before_event_ids_were_kept_is_extended_unless_late_captures_came(busy: App):
    audit = audit_draws.start(busy, 10, by="ann", seed=1)
    work(busy, audit.queue, 10)
    found = audits.audited(busy).sample
    buffer = io.BytesIO()
    np.savez_compressed(buffer, confidences=found.confidences, predictions=found.predictions.astype(np.int16))
    with busy.db.write() as connection:
        connection.execute(sa.update(audit_table).values(population=buffer.getvalue()))
    extended = audit_draws.extend(busy, 5, by="ann", seed=1)
    work(busy, audit.queue, extended.labels - 10)
    copies(busy, 1, before=audit.until)
    with pytest.raises(BadInput, match="are not those that it was drawn from: start a new one"):
        audit_draws.extend(busy, 5, by="ann")


def test_a_plan_of_an_extension_counts_the_labels_given(busy: App):
    audit = audit_draws.start(busy, 20, by="ann", seed=1)
    with pytest.raises(BadInput, match="cannot be extended"):
        audit_plans.extension(busy, audits.audited(busy), [0.05])
    work(busy, audit.queue, 20)
    found = audits.audited(busy)
    before = audits.measured(busy, found)
    assert before
    half_width = before.accuracy.half_width
    wide, narrow = audit_plans.extension(busy, found, [0.49, half_width / 2])
    assert (wide.audit, wide.more, wide.inferences) == (audit.id, 0, 60)
    assert narrow.labels
    assert (narrow.more, narrow.audit) == (narrow.labels - 20, audit.id)
    extended = audit_draws.extend(busy, narrow.more or 0, by="ann", seed=5)
    work(busy, audit.queue, extended.labels - 20)
    after = audits.measured(busy, audits.audited(busy))
    assert after
    assert after.accuracy.half_width < half_width


def test_a_plan_learns_from_test_images_and_from_the_newest_audit(busy: App):
    [plan] = audit_plans.new(busy, [0.05])
    assert plan.audit is None
    assert 0 < (plan.labels or 0) == plan.more
    alone, _ = audit_plans.known_answers(busy, "v1")
    audit = audit_draws.start(busy, 30, by="ann", seed=1)
    work(busy, audit.queue, 30)
    together, id = audit_plans.known_answers(busy, "v1")
    assert (id, len(together.right)) == (audit.id, len(alone.right) + 30)
    assert audit_plans.new(busy, [0.05])[0].audit == audit.id
    with pytest.raises(BadInput, match="half-width"):
        audit_plans.new(busy, [0.6])


def test_a_plan_does_not_learn_from_test_images_that_the_audit_contradicts(busy: App):
    audit = audit_draws.start(busy, 30, by="ann", seed=1)
    while items := review.next_items(busy, "ann", queue=audit.queue):
        wrong = next(name for name in items[0].classes if name != items[0].prediction)
        review.decide(busy, items[0].id, wrong, "ann", queue=audit.queue)
    answers, id = audit_plans.known_answers(busy, "v1")
    assert (id, len(answers.right), answers.right.max()) == (audit.id, 30, 0)


def test_after_drift_neither_test_images_nor_earlier_audits_say_anything(busy: App):
    audit = audit_draws.start(busy, 60, by="ann", seed=1)
    work(busy, audit.queue, 60)
    assert promises.production(busy, max_risk=0.4, level=0.8).found
    send_drifted(busy, 40, SimulatedDrift.DARK)
    alarm = drift_standing.standing(busy).alarm
    assert alarm
    assert drift_standing.moved(busy, "v1") == alarm.time

    def nothing_is_known() -> None:
        assert audits.current(busy, "v1") == []
        with pytest.raises(NotFound, match="drifted from the test images: audit 100"):
            audit_plans.new(busy, [0.05])
        with pytest.raises(NotFound, match="drifted from the test images"):
            promises.labels_needed(busy, max_risk=0.4, level=0.8)
        with pytest.raises(NotFound, match="No audit of v1 that still counts"):
            promises.production(busy, max_risk=0.4, level=0.8)
        assert what_if.traffic(busy, InferenceFilter()).evidence is None

    nothing_is_known()
    drift_watch.acknowledge(busy, by="ann")
    assert drift_standing.standing(busy).alarm is None
    assert drift_standing.moved(busy, "v1") == alarm.time
    nothing_is_known()
    later = audit_draws.start(busy, 40, by="ann", seed=2)
    work(busy, later.queue, queues.progress(busy, later.queue).size - queues.progress(busy, later.queue).decided)
    assert [one.audit.id for one in audits.current(busy, "v1")] == [later.id]
    answers, id = audit_plans.known_answers(busy, "v1")
    assert (id, len(answers.right)) == (later.id, later.labels)


def test_after_drift_a_promise_is_planned_from_its_own_labels(busy: App):
    send_drifted(busy, 40, SimulatedDrift.DARK)
    assert drift_standing.standing(busy).alarm
    audit = audit_draws.start(busy, 10, kind=AuditKind.PROMISE, max_risk=0.2, by="ann", seed=2)
    work(busy, audit.queue, 5)
    found = promises.production(busy, max_risk=0.2, level=0.9)
    assert (found.audits, found.labels_used, found.found) == ((audit.id,), 5, None)


def test_a_promise_weighs_the_labels_of_an_extension_as_it_drew_them(busy: App):
    audit = audit_draws.start(busy, 20, by="ann", seed=1)
    work(busy, audit.queue, 20)
    first = promises.production(busy, max_risk=0.4, level=0.8)
    extended = audit_draws.extend(busy, 30, by="ann", seed=2)
    assert promises.production(busy, max_risk=0.4, level=0.8) == first
    work(busy, audit.queue, extended.labels - 20)
    assert promises.production(busy, max_risk=0.4, level=0.8).labels_used == extended.labels
    found = audits.audited(busy)
    (one, its), (other, of_it) = found.by_draw()
    assert (its, of_it) == (slice(0, 20), slice(20, extended.labels))
    before, after = (inclusion_probabilities(found.sample.confidences, labels) for labels in (20, 50))
    assert one == pytest.approx(before)
    rows = found.sample.rows
    assert other[rows[20:]] == pytest.approx(((after - before) / (1 - before))[rows[20:]])
    assert not other[rows[:20]].any()
