"""Compiles Retry, Catch, and Next or End."""

from scones_core.local.workflow.asl.compiler import Language
from scones_core.local.workflow.asl.errors import ALL, DefinitionError
from scones_core.local.workflow.asl.fields import Fields
from scones_core.local.workflow.asl.retry import Catcher, Retrier


def next_state(fields: Fields) -> str | None:
    """Return the next state's name, None where the state ends its line."""
    end = fields.flag("End")
    if end == ("Next" in fields):
        raise DefinitionError(f"{fields.where}: exactly one of the fields 'Next' and 'End' must lead on.")
    return None if end else fields.text("Next")


def compile_retriers(fields: Fields) -> list[Retrier]:
    given = fields.objects("Retry")
    return [_retrier(retrier, place == len(given) - 1) for place, retrier in enumerate(given)]


def _retrier(fields: Fields, last: bool) -> Retrier:
    retrier = Retrier(
        _error_equals(fields, last),
        fields.integer("IntervalSeconds", 1, minimum=1) or 1,
        fields.integer("MaxAttempts", 3) or 0,
        fields.number("BackoffRate", 2.0, minimum=1),
        fields.integer("MaxDelaySeconds", minimum=1, maximum=31_622_400),
        fields.choice("JitterStrategy", "NONE", ["NONE", "FULL"]) == "FULL",
    )
    if retrier.max_delay_seconds is not None and retrier.max_delay_seconds <= retrier.interval_seconds:
        raise fields.error("MaxDelaySeconds", "must be greater than IntervalSeconds")
    fields.finish()
    return retrier


def compile_catchers(fields: Fields, language: Language) -> list[Catcher]:
    given = fields.objects("Catch")
    return [_catcher(catcher, language, place == len(given) - 1) for place, catcher in enumerate(given)]


def _catcher(fields: Fields, language: Language, last: bool) -> Catcher:
    catcher = Catcher(_error_equals(fields, last), fields.text("Next"), language.catcher_flow(fields))
    fields.finish()
    return catcher


def _error_equals(fields: Fields, last: bool) -> tuple[str, ...]:
    names = fields.any("ErrorEquals")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise fields.error("ErrorEquals", "must be a list of error names that is not empty")
    if ALL in names and (len(names) > 1 or not last):
        raise fields.error("ErrorEquals", f"may have {ALL} only alone, and only in the last entry")
    return tuple(names)
