"""What instances cost, and when an endpoint is idle."""

from datetime import UTC, datetime, timedelta

import pytest

from scones_core.domain.costs import DAY, LOOK_BACK, MONTH, REFERENCE_SECONDS, Price, quiet
from scones_core.ui.shell.costs import money, span

NOW = datetime(2025, 10, 4, 12, tzinfo=UTC)
PRICE = Price(0.72, "USD")


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def test_a_job_costs_its_share_of_an_hour():
    assert PRICE.of(1800) == pytest.approx(0.36)
    assert PRICE.of(REFERENCE_SECONDS) == pytest.approx(0.0924)


def test_an_endpoint_costs_by_the_hour_and_the_instance():
    assert PRICE.of(DAY) == pytest.approx(17.28)
    assert PRICE.of(MONTH, instances=3) == pytest.approx(3 * 30 * 17.28)


def test_an_endpoint_is_quiet_since_its_last_inference():
    assert quiet(NOW - hours(100), NOW - hours(3), NOW) == hours(3)


def test_an_endpoint_that_nobody_ever_asked_is_quiet_since_it_was_created():
    assert quiet(NOW - hours(30), None, NOW) == hours(30)


def test_an_inference_of_an_earlier_endpoint_of_that_name_does_not_count():
    assert quiet(NOW - hours(2), NOW - hours(40), NOW) == hours(2)


def test_beyond_what_is_looked_back_on_nobody_knows():
    assert quiet(NOW - timedelta(days=90), None, NOW) == LOOK_BACK


@pytest.mark.parametrize(
    ("amount", "said"),
    [(82.8, "82.80 USD"), (1234.5, "1,234.50 USD"), (0.0924, "0.09 USD"), (0.001, "< 0.01 USD")],
)
def test_an_amount_is_said_with_its_currency(amount: float, said: str):
    assert money(PRICE, amount) == said


@pytest.mark.parametrize(
    ("time", "said"),
    [(hours(0.01), "0 minutes"), (hours(1.5), "90 minutes"), (hours(26), "26 hours"), (hours(80), "3 days")],
)
def test_a_span_is_said_in_the_unit_that_fits(time: timedelta, said: str):
    assert span(time) == said
