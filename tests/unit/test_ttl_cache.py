"""The cache of what AWS said."""

import itertools

import pytest

from scones_core.aws.ttl_cache import TtlCache


@pytest.mark.parametrize("seconds", [1, 2, 3, 4])
def test_a_value_that_expires_while_it_is_looked_up_is_asked_for_again(seconds: int):
    ticks = itertools.count()
    cache: TtlCache[str] = TtlCache(seconds, lambda _: False, clock=lambda: next(ticks))
    for _ in range(20):
        assert cache.get("name", lambda: "value") == "value"


def test_a_final_value_stays():
    ticks = itertools.count(step=100)
    cache: TtlCache[str] = TtlCache(3, lambda value: value == "ended", clock=lambda: next(ticks))
    assert cache.get("name", lambda: "running") == "running"
    assert cache.get("name", lambda: "ended") == "ended"
    assert cache.get("name", lambda: "never asked") == "ended"
