"""Generated test traffic, and what it does to the figures."""

import pytest

from scones_core.domain.drift import DriftLevel, SimulatedDrift
from scones_core.errors import BadInput
from scones_core.services import App, capture, monitoring, traffic


@pytest.mark.parametrize("drift", list(SimulatedDrift))
def test_every_kind_of_traffic_reaches_the_endpoint(serving: App, drift: SimulatedDrift):
    sent = traffic.send(serving, 6, drift=drift, seed=1)
    assert (sent.sent, sent.succeeded + sent.failed) == (6, 6)
    assert capture.ingest(serving).new == 6


def test_drifted_images_keep_the_key_of_the_image_they_were_made_from(serving: App):
    traffic.send(serving, 3, drift=SimulatedDrift.DARK, seed=1)
    names = {key.key.removeprefix("traffic/dark/") for key in serving.backend.objects.list("traffic/dark/")}
    assert names
    assert names <= {key.key for key in serving.backend.objects.list("pool/")}


def test_monitor_notices_drifted_traffic(serving: App):
    traffic.send(serving, 24, drift=SimulatedDrift.DARK, seed=1)
    capture.ingest(serving)
    assert monitoring.figures(serving).drift.level is DriftLevel.DRIFT


def test_traffic_can_be_ended_early(serving: App):
    answers = iter([True, True, False])
    assert traffic.send(serving, 10, go_on=lambda: next(answers)).sent == 2


def test_the_rate_that_was_reached_stands_beside_the_one_asked_for(serving: App):
    sent = traffic.send(serving, 3, rate=200.0)
    assert sent.asked == 200.0
    assert sent.rate == pytest.approx(3 / sent.seconds)


@pytest.mark.parametrize(("count", "rate"), [(0, None), (3, 0.0)])
def test_senseless_traffic_is_refused(serving: App, count: int, rate: float | None):
    with pytest.raises(BadInput):
        traffic.send(serving, count, rate=rate)
