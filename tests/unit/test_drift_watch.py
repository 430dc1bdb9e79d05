"""The drift watch of a model in service: what it observes, when it alarms, and what its alarm stops."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from scones_core.domain.drift import DriftLevel, SimulatedDrift
from scones_core.errors import BadInput, NotFound
from scones_core.services import (
    App,
    capture,
    classification,
    drift_standing,
    drift_watch,
    expectation,
    monitoring,
    notification,
    traffic,
)
from scones_core.services.drift_standing import QUIET, DriftStanding, in_words
from tests.conftest import png
from tests.unit.test_notification import opened, webhook

__all__ = ["webhook"]


def send(app: App, count: int, drift: SimulatedDrift = SimulatedDrift.NONE, *, seed: int = 0) -> None:
    """Generated images, each another one, of both kinds."""
    from scones_core.sources.drift import drifted

    keys = []
    for number in range(count):
        data = drifted(png(50_000 + 1_000 * seed + number, upright=number % 2 == 0), drift)
        key = f"traffic/{drift}/{seed}-{number}.png"
        app.backend.objects.put(key, data)
        keys.append(key)
    classification.classify(app, keys)
    capture.ingest(app)


def test_traffic_like_the_test_images_is_no_drift_and_lets_expect_an_accuracy(serving: App):
    send(serving, 60)
    standing = drift_standing.standing(serving)
    assert (standing.level, standing.recent, standing.reference) == (DriftLevel.NONE, 60, 24)
    expected = expectation.expected_accuracy(serving)
    assert expected is not None
    assert expected.interval[0] <= expected.value <= expected.interval[1]
    assert (expected.inferences, expected.labels) == (60, 0)


def test_the_dark_raises_an_alarm_that_says_what_changed_and_since_when(serving: App):
    send(serving, 30)
    send(serving, 40, SimulatedDrift.DARK, seed=1)
    standing = drift_standing.standing(serving)
    alarm = standing.alarm
    assert standing.level is DriftLevel.DRIFT
    assert alarm is not None
    assert "brightness" in [change["statistic"] for change in alarm.changes]
    assert "brightness" in in_words(alarm.changes)
    assert alarm.since_interval[0] <= alarm.since <= alarm.since_interval[1] <= alarm.time
    keys = {event: capture.inference(serving, event)["image_key"] for event in (*alarm.before, *alarm.after)}
    assert len(alarm.before) == len(alarm.after) == 8
    assert sum("dark" in keys[event] for event in alarm.after) >= 7
    assert sum("dark" in keys[event] for event in alarm.before) <= 1


def test_an_alarm_withdraws_the_accuracy_expected_from_confidences(serving: App):
    send(serving, 40, SimulatedDrift.DARK)
    assert drift_standing.standing(serving).level is DriftLevel.DRIFT
    assert expectation.expected_accuracy(serving) is None


@pytest.mark.parametrize(
    ("standing", "believed"),
    [
        (DriftStanding(DriftLevel.NONE, recent=50), True),
        (DriftStanding(DriftLevel.UNKNOWN, recent=5), False),
        (DriftStanding(DriftLevel.DRIFT, recent=50), False),
        (DriftStanding(DriftLevel.NONE, recent=50, quiet=QUIET - 1), False),
        (DriftStanding(DriftLevel.NONE, recent=500, quiet=QUIET), True),
    ],
)
def test_confidences_are_believed_only_where_drift_was_looked_for_in_vain(standing: DriftStanding, believed: bool):
    assert standing.believed is believed


def test_a_person_acknowledges_an_alarm_and_a_drift_that_persists_raises_another(serving: App):
    send(serving, 40, SimulatedDrift.DARK)
    with pytest.raises(BadInput, match="name"):
        drift_watch.acknowledge(serving, by=" ")
    drift_watch.acknowledge(serving, by="ann")
    assert drift_standing.standing(serving).level is DriftLevel.UNKNOWN
    with pytest.raises(NotFound, match="No drift alarm"):
        drift_watch.acknowledge(serving, by="ann")
    send(serving, 40, SimulatedDrift.DARK, seed=1)
    assert drift_standing.standing(serving).level is DriftLevel.DRIFT


def test_after_an_acknowledged_alarm_calm_traffic_is_calm_and_confidences_are_not_believed_at_once(serving: App):
    send(serving, 40, SimulatedDrift.DARK)
    drift_watch.acknowledge(serving, by="ann")
    send(serving, 40, seed=1)
    standing = drift_standing.standing(serving)
    assert (standing.level, standing.quiet, standing.believed) == (DriftLevel.NONE, 40, False)
    assert expectation.expected_accuracy(serving) is None


def test_the_same_image_again_is_no_new_evidence(serving: App):
    keys = classification.sample_keys(serving, 6, seed=0)
    for _ in range(3):
        classification.classify(serving, keys)
        capture.ingest(serving)
    assert capture.captured(serving) == 18
    assert drift_standing.standing(serving).recent == 6


def test_images_that_the_model_was_trained_on_say_nothing(serving: App):
    trained = [info.key for info in serving.backend.objects.list("train/")][:10]
    classification.classify(serving, [*trained, *classification.sample_keys(serving, 4, seed=0)])
    capture.ingest(serving)
    assert drift_standing.standing(serving).recent == 4


def test_two_processes_observe_each_inference_once(serving: App, open_home: Callable[[], App]):
    send(serving, 10)
    other = open_home()
    send(other, 10, seed=1)
    for app in (serving, other):
        capture.ingest(app)
        assert drift_standing.standing(app).recent == 20


def test_inferences_that_a_killed_ingest_left_are_observed_by_the_next(serving: App):
    """Recorded by an ingest that was killed before it observed them."""
    keys = classification.sample_keys(serving, 10, seed=0)
    classification.classify(serving, keys)
    with serving.db.turn(drift_watch.TURN):  # another process holds the watch, and will not observe these
        capture.ingest(serving)
    assert drift_standing.standing(serving).recent == 0
    send(serving, 5)
    assert drift_standing.standing(serving).recent == 15


def test_a_capture_that_is_gone_leaves_the_rest_observed_and_the_ingest_whole(serving: App):
    keys = classification.sample_keys(serving, 24, seed=0)
    classification.classify(serving, keys)
    files = [info.key for info in serving.backend.objects.list(serving.backend.endpoints.capture_prefix)]
    assert files
    capture.ingest(serving)
    before = drift_standing.standing(serving).recent
    send(serving, 5)
    assert (before, drift_standing.standing(serving).recent) == (24, 29)


def test_an_alarm_is_sent_once_to_who_hears_of_failures(serving: App, webhook):
    url, received = webhook
    app = opened(serving, url)
    send(app, 40, SimulatedDrift.DARK)
    send(app, 10, SimulatedDrift.DARK, seed=1)
    told = [message for message in received if "drift" in message["title"]]
    assert len(told) == 1
    assert "brightness" in told[0]["message"]
    assert [(row["executions"], row["failure"]) for row in notification.sent(app)] == [(0, None)]
    app.close()


def test_failures_are_still_reported_after_a_message_about_drift(serving: App, webhook):
    url, received = webhook
    app = opened(serving, url)
    notification.notify_failures(app)
    monitoring.set_threshold(app, 0.999999)
    send(app, 40, SimulatedDrift.DARK)
    assert notification.notify_failures(app) == 40
    assert ["drift" in message["title"] for message in received] == [True, False]
    app.close()


def test_the_time_of_the_alarm_is_of_an_inference(serving: App):
    traffic.send(serving, 24, drift=SimulatedDrift.DARK, seed=1)
    capture.ingest(serving)
    alarm = drift_standing.standing(serving).alarm
    assert alarm is not None
    newest = max(capture.inference(serving, event)["time"] for event in alarm.after)
    assert alarm.time <= newest + timedelta(seconds=60)
    assert alarm.before == []
    assert len(drift_standing.reference_keys(serving)) == 8
