"""Executions are found by name and time, and stopped."""

from datetime import timedelta

from scones_core.services import App, classification


def test_executions_are_found_by_name_and_time(serving: App):
    first, second = (classification.classify(serving, [key])[0].name for key in classification.sample_keys(serving, 2))
    assert [one.name for one in classification.search(serving, name=first[-12:].upper())] == [first]
    since = classification.describe(serving, second).started
    assert [one.name for one in classification.search(serving, since=since)] == [second]
    assert [one.name for one in classification.search(serving, until=since)] == [first]
    assert not classification.search(serving, since=since + timedelta(days=1))
    assert [one.name for one in classification.search(serving)] == [second, first]


def test_no_further_execution_starts_once_stopped(serving: App):
    answers = iter([True, True, False])
    keys = classification.sample_keys(serving, 10)
    assert len(classification.classify(serving, keys, go_on=lambda: next(answers))) == 2
