"""Compiles one state: https://states-language.net/spec.html#state-types"""

import re
from collections.abc import Callable
from typing import Any

from scones_core.local.workflow.asl.choice import Choice, ChoiceRule
from scones_core.local.workflow.asl.comparisons import compile_rule
from scones_core.local.workflow.asl.compile_map import compile_map
from scones_core.local.workflow.asl.compile_retry import compile_catchers, compile_retriers, next_state
from scones_core.local.workflow.asl.compiler import Compiler, Language
from scones_core.local.workflow.asl.fields import Fields
from scones_core.local.workflow.asl.integrations import INTEGRATIONS, Integration, LambdaFunction
from scones_core.local.workflow.asl.jsonata_language import Jsonata, is_expression
from scones_core.local.workflow.asl.jsonpath_language import JsonPath
from scones_core.local.workflow.asl.parallel import Parallel
from scones_core.local.workflow.asl.scope import Scope
from scones_core.local.workflow.asl.simple import NO_RESULT, Fail, Pass, Succeed
from scones_core.local.workflow.asl.state import State, StateMachine
from scones_core.local.workflow.asl.task import Task
from scones_core.local.workflow.asl.wait import (
    Wait,
    no_timestamp_given,
    not_a_timestamp,
    parsed_timestamp,
    seconds_at,
    seconds_until,
)

_FUNCTION_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[^:]+:\d*:function:[^:]+(:[^:]+)?")
_INTEGRATION_ARN = re.compile(r"arn:aws[a-z-]*:(?P<resource>states:::.+)")


WORKER_FIELDS = ("Parameters", "Arguments", "ResultSelector", "ResultPath")


def compile_state(name: str, fields: Fields, compiler: Compiler) -> State:
    builder = _BUILDERS[fields.choice("Type", "", list(_BUILDERS))]
    state = builder(name, fields, compiler, compiler.language_of(fields))
    fields.finish()
    return state


def _pass(name: str, fields: Fields, compiler: Compiler, language: Language) -> State:
    has_data = not isinstance(language, Jsonata)
    result = fields.any("Result") if has_data and "Result" in fields else NO_RESULT
    return Pass(
        name, language.flow(fields, "Parameters", "ResultPath"), next_state(fields), result=result, has_data=has_data
    )


def _succeed(name: str, fields: Fields, compiler: Compiler, language: Language) -> State:
    if "Assign" in fields:
        raise fields.error("Assign", "is not allowed in a Succeed state")
    return Succeed(name, language.flow(fields), None)


def _fail(name: str, fields: Fields, compiler: Compiler, language: Language) -> State:
    flow = language.flow(Fields({}, fields.where))
    return Fail(name, flow, None, error=language.text(fields, "Error"), cause=language.text(fields, "Cause"))


def _wait(name: str, fields: Fields, compiler: Compiler, language: Language) -> State:
    paths = () if isinstance(language, Jsonata) else ("SecondsPath", "TimestampPath")
    fields.only_one("Seconds", "Timestamp", *paths, required=True)
    seconds = (
        _timestamp(fields, language)
        if {"Timestamp", "TimestampPath"} & set(fields.given)
        else _seconds(fields, language)
    )
    return Wait(name, language.flow(fields), next_state(fields), seconds=seconds)


def _seconds(fields: Fields, language: Language) -> Callable[[Scope], float]:
    if "SecondsPath" in fields and isinstance(language, JsonPath):
        path = language.path(fields, "SecondsPath")
        return lambda scope: seconds_at(path, scope)
    evaluate = language.integer(fields, "Seconds")
    assert evaluate is not None
    return evaluate


def _timestamp(fields: Fields, language: Language) -> Callable[[Scope], float]:
    given = fields.given.get("Timestamp")
    computed = isinstance(language, Jsonata) and is_expression(given)
    if given is not None and not computed and parsed_timestamp(given) is None:
        raise fields.error("Timestamp", "must be a timestamp as 2016-03-14T01:59:00Z")
    evaluate = language.text(fields, "Timestamp")
    assert evaluate is not None

    def seconds(scope: Scope) -> float:
        text = evaluate(scope)
        left = seconds_until(text)
        if left is not None:
            return left
        if isinstance(language, Jsonata):
            raise no_timestamp_given("Timestamp", text)
        raise not_a_timestamp("TimestampPath", str(fields.given["TimestampPath"]), text)

    return seconds


def _choice(name: str, fields: Fields, compiler: Compiler, language: Language) -> State:
    flow: Any = language.flow(fields)
    rules = [
        _choice_rule(rule, place, language, flow) for place, rule in enumerate(fields.objects("Choices", required=True))
    ]
    return Choice(name, flow, fields.optional_text("Default"), rules=rules)


def _choice_rule(fields: Fields, place: int, language: Language, flow: Any) -> ChoiceRule:
    if isinstance(language, Jsonata):
        condition = language.boolean(fields, "Condition", f"Choices[{place}]/Condition")
    else:
        condition = compile_rule(fields)
    rule = ChoiceRule(condition, fields.text("Next"), language.rule_flow(fields, flow))
    fields.finish()
    return rule


def _task(name: str, fields: Fields, compiler: Compiler, language: Language) -> State:
    integration = _integration(fields, language)
    _check_durations(fields)
    return Task(
        name,
        language.flow(fields, *WORKER_FIELDS),
        next_state(fields),
        compile_retriers(fields),
        compile_catchers(fields, language),
        integration=integration,
        timeout=language.integer(fields, "TimeoutSeconds", minimum=1),
        heartbeat=language.integer(fields, "HeartbeatSeconds", minimum=1),
    )


def _check_durations(fields: Fields) -> None:
    timeout, heartbeat = fields.given.get("TimeoutSeconds"), fields.given.get("HeartbeatSeconds")
    if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat > timeout:
        raise fields.error("HeartbeatSeconds", "must not be greater than TimeoutSeconds")


def _integration(fields: Fields, language: Language) -> Integration:
    resource = fields.text("Resource")
    if _FUNCTION_ARN.fullmatch(resource):
        return LambdaFunction(resource)
    found = _INTEGRATION_ARN.fullmatch(resource)
    integration = INTEGRATIONS.get(found["resource"]) if found else None
    if integration is None:
        known = ", ".join(f"arn:aws:{name}" for name in INTEGRATIONS)
        raise fields.error("Resource", f"names {resource!r}; supported here are function ARNs, {known}")
    _check_parameters(fields, language.arguments_field, integration)
    return integration()


def _check_parameters(fields: Fields, name: str, integration: Any) -> None:
    """Refuse parameters that the integration does not know, as far as they can be seen before it runs."""
    given = fields.given.get(name, {})
    if not isinstance(given, dict):
        return
    names = {parameter.removesuffix(".$") for parameter in given}
    for parameter in names - set(integration.parameters):
        raise fields.error(
            name, f"has {parameter!r}, which {integration.service}:{integration.action} does not support here"
        )
    if name in fields and not all(names & set(choices) for choices in integration.required):
        wanted = " and ".join(" or ".join(choices) for choices in integration.required)
        raise fields.error(name, f"must have {wanted}")
    if given.get("InvocationType", "RequestResponse") != "RequestResponse":
        raise fields.error(name, "has an 'InvocationType' that is not supported here; only RequestResponse is")


def _parallel(name: str, fields: Fields, compiler: Compiler, language: Language) -> State:
    branches = []
    for branch in fields.objects("Branches", required=True):
        branches.append(StateMachine(*compiler.compile_lines(branch, compiler)))
        branch.finish()
    return Parallel(
        name,
        language.flow(fields, *WORKER_FIELDS),
        next_state(fields),
        compile_retriers(fields),
        compile_catchers(fields, language),
        branches=branches,
    )


_BUILDERS: dict[str, Callable[[str, Fields, Compiler, Language], State]] = {
    "Task": _task,
    "Pass": _pass,
    "Choice": _choice,
    "Wait": _wait,
    "Succeed": _succeed,
    "Fail": _fail,
    "Parallel": _parallel,
    "Map": compile_map,
}
