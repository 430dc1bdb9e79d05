"""Audits, drift and promises on the page Monitor."""

import pytest

from scones_core.domain.drift import SimulatedDrift
from scones_core.services import App, audit_draws, audits, drift_standing, monitoring, threshold
from tests.unit.pages.driving import Open, pressed, texts
from tests.unit.test_audits import send, work
from tests.unit.test_drift_watch import send as send_drifted


def test_before_any_audit_the_accuracy_in_production_is_not_known(trained: App, open_page: Open):
    send(trained, 30)
    said = texts(open_page("monitor"))
    assert "No audit of v1 yet" in said
    assert "No drift found" in said
    assert "Expected accuracy of 30 captured inferences" in said
    assert "No audited labels yet: calibration in production is not known" in said
    assert "training images held out in cross-validation. Calibration error" in said


def test_an_audit_is_started_and_its_figures_say_which_labels_they_are_of(trained: App, open_page: Open):
    send(trained, 60)
    found = open_page("monitor")
    found.number_input(key="audit_labels").set_value(30).run()
    pressed(found, "Start audit")
    audit = audits.audited(trained).audit
    assert audit.labels == 30
    work(trained, audit.queue, 20)
    found = open_page("monitor")
    said = texts(found)
    assert "From the first 20 labels" in said
    assert "30 of 60 captured inferences" in said
    accuracy = next(metric for metric in found.metric if metric.label == "Accuracy")
    assert "20 labels" in accuracy.delta


def test_an_alarm_shows_what_changed_and_withdraws_the_expected_accuracy(trained: App, open_page: Open):
    moved = "these figures do not hold for what v1 gets now"
    send(trained, 30)
    assert moved not in texts(open_page("monitor"))
    send_drifted(trained, 40, SimulatedDrift.DARK)
    found = open_page("monitor")
    said = texts(found)
    assert "brightness" in said
    assert moved in said
    assert "Expected accuracy: unknown" in said
    assert "audit 100 images" in said
    assert [metric.value for metric in found.metric if metric.label == "Drift"] == ["Found"]
    found.button(key="acknowledge_drift").click().run()
    assert not found.exception
    assert drift_standing.standing(trained).alarm is None
    assert "Since then" not in texts(open_page("monitor"))


def test_a_threshold_is_applied_with_its_evidence_and_taken_back(trained: App, open_page: Open):
    send(trained, 30)
    found = open_page("monitor")
    found.number_input(key="proposal_risk").set_value(40.0).run()
    found.button(key="apply_proposal").click().run()
    [change] = threshold.changes(trained)
    assert change.evidence["about"] == "test images"
    assert change.evidence["max_risk"] == pytest.approx(0.4)
    assert monitoring.threshold(trained) == change.threshold
    found = open_page("monitor")
    found.button(key="take_back_threshold").click().run()
    assert monitoring.threshold(trained) == 0.93


def test_one_press_queues_the_labels_that_a_promise_needs(trained: App, open_page: Open):
    send(trained, 80)
    found = open_page("monitor")
    found.number_input(key="proposal_risk").set_value(40.0).run()
    found.button(key="queue_promise").click().run()
    audit = audits.audited(trained).audit
    assert str(audit.kind) == "promise"
    assert audit.labels > 1


def test_one_press_adds_the_labels_that_a_narrower_interval_needs(trained: App, open_page: Open):
    send(trained, 80)
    audit = audit_draws.start(trained, 20, by="ann", seed=1)
    work(trained, audit.queue, 20)
    found = open_page("monitor")
    button = found.button(key="extend_audit")
    assert button.label.startswith("Add ")
    button.click().run()
    assert not found.exception
    extended = audits.audited(trained).audit
    assert extended.labels > 20
    said = texts(open_page("monitor"))
    assert f"20 of {extended.labels} labels" in "\n".join(str(bar.proto.text) for bar in found.get("progress"))
    assert (
        "drawn uncertain ones more often, each weighed by the inverse of its probability (in 2 draws, seeds 1, " in said
    )
    assert "extend_audit" not in [one.key for one in found.button]
