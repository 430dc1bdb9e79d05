"""State machines on Step Functions: the ports WorkflowService and StateMachines.

A state machine is named `<stack>-<machine>` there. The definitions of `infra/` are deployed with the stack; `put`
changes them, or adds others.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from heapq import merge
from itertools import dropwhile, islice
from typing import TYPE_CHECKING, Any

from scones_core.aws.functions import configure, environment
from scones_core.aws.session import Aws, utc
from scones_core.aws.ttl_cache import TtlCache
from scones_core.bounded_map import bounded_map
from scones_core.errors import BadDefinition, BadInput, Conflict, NotFound
from scones_core.ports import Execution, ExecutionStatus

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef, ExecutionListItemTypeDef

NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")
MACHINE = re.compile(r"[A-Za-z0-9_-]{1,80}")
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
MAX_INPUT = 262_144  # bytes: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
POLL = 0.5  # seconds for which an answer about a running execution counts
MACHINES_KNOWN = 30.0  # seconds for which the list of state machines counts
HISTORIES = 500  # kept
AT_ONCE = 16  # requests for executions
LONG_PAGES: Any = {"PageSize": 1000}
Events = Sequence[Mapping[str, Any]]
FIRST_MACHINE = "ClassifyImageStateMachineArn"


class StepFunctions:
    """Executions of the stack's state machines."""

    def __init__(self, aws: Aws, *, poll: float = POLL) -> None:
        self._aws = aws
        self._known: TtlCache[Execution] = TtlCache(poll, lambda known: known.status is not ExecutionStatus.RUNNING)
        # By the execution's name, of ended ones: what cannot change any more.
        self._histories: TtlCache[Events] = TtlCache(0, lambda _: True, kept=HISTORIES)
        self._map_runs: TtlCache[Events] = TtlCache(0, lambda _: True)
        self._machines: TtlCache[Sequence[str]] = TtlCache(MACHINES_KNOWN, lambda _: False)
        self._machine_of: dict[str, str] = {}  # execution → machine, of those this process has seen

    # WorkflowService

    def start(self, machine: str, name: str, input: Any) -> Execution:
        if not NAME.fullmatch(name):
            raise BadInput(f"“{name}” is not a valid execution name: use 1 to 80 letters, digits, dots, - and _.")
        try:
            started = self._aws.stepfunctions.start_execution(
                stateMachineArn=self._machine_arn(machine), name=name, input=_checked(input)
            )
        except Conflict as error:
            raise Conflict(
                f"ExecutionAlreadyExists: execution “{name}” already exists; choose another name."
            ) from error
        except NotFound:
            raise self._no_machine(machine) from None
        self._machine_of[name] = machine
        execution = Execution(name, machine, ExecutionStatus.RUNNING, utc(started["startDate"]), input)
        return self._known.put(name, execution)

    def describe(self, name: str) -> Execution:
        return self._known.get(name, lambda: self._describe(name))

    def list(
        self,
        machine: str | None = None,
        *,
        status: ExecutionStatus | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> Sequence[Execution]:
        machines = [machine] if machine else self.names()
        found: Iterator[ExecutionListItemTypeDef] = merge(
            *(self._listed(m, status) for m in machines), key=lambda item: item["startDate"], reverse=True
        )
        if before is not None:
            found = islice(dropwhile(lambda item: item["name"] != before, found), 1, None)
        names = [item["name"] for item in islice(found, limit)]
        return list(bounded_map(self.describe, names, AT_ONCE))

    def history(self, name: str) -> Sequence[Mapping[str, Any]]:
        execution = self.describe(name)
        return self._once_ended(self._histories, execution, lambda: self._history(self._execution_arn(execution)))

    def definition_of(self, name: str) -> Mapping[str, Any]:
        arn = self._execution_arn(self.describe(name))
        return self._read(self._aws.stepfunctions.describe_state_machine_for_execution(executionArn=arn)["definition"])

    def map_runs(self, name: str) -> Sequence[Mapping[str, Any]]:
        execution = self.describe(name)
        return self._once_ended(self._map_runs, execution, lambda: self._described_runs(self._execution_arn(execution)))

    def stop(self, name: str, *, error: str | None = None, cause: str | None = None) -> None:
        self._known.forget(name)
        execution = self.describe(name)
        if execution.status is ExecutionStatus.RUNNING:
            told: Any = {key: text for key, text in (("error", error), ("cause", cause)) if text}
            self._aws.stepfunctions.stop_execution(executionArn=self._execution_arn(execution), **told)
            self._known.forget(name)

    def configure(self, environment: Mapping[str, str]) -> None:
        configure(self._aws, environment)

    def environment(self) -> Mapping[str, str]:
        return environment(self._aws)

    # StateMachines

    def names(self) -> Sequence[str]:
        return self._machines.get("", self._names)

    def _names(self) -> Sequence[str]:
        prefix = f"{self._aws.stack}-"
        pages = self._aws.stepfunctions.get_paginator("list_state_machines").paginate(PaginationConfig=LONG_PAGES)
        found = [machine["name"] for page in pages for machine in page["stateMachines"]]
        return sorted(name.removeprefix(prefix) for name in found if name.startswith(prefix))

    def definition(self, machine: str) -> Mapping[str, Any]:
        try:
            found = self._aws.stepfunctions.describe_state_machine(stateMachineArn=self._machine_arn(machine))
        except NotFound:
            raise self._no_machine(machine) from None
        return self._read(found["definition"])

    def _read(self, text: str) -> Mapping[str, Any]:
        """A definition, with the functions' ARNs as the substitutions they were given by."""
        for name, value in self._substitutions.items():
            text = text.replace(value, f"${{{name}}}")
        definition: Mapping[str, Any] = json.loads(text)
        return definition

    def put(self, machine: str, definition: Mapping[str, Any]) -> None:
        if not MACHINE.fullmatch(machine):
            raise BadDefinition(f"“{machine}” is not a valid state machine name: use 1 to 80 letters, digits, - and _.")
        text = self._substituted(json.dumps(definition, ensure_ascii=False))
        try:
            self._aws.stepfunctions.update_state_machine(stateMachineArn=self._machine_arn(machine), definition=text)
        except NotFound:
            self._aws.stepfunctions.create_state_machine(
                name=f"{self._aws.stack}-{machine}", definition=text, roleArn=self._aws.output("StateMachineRoleArn")
            )
            self._machines.forget("")

    # Names

    @cached_property
    def _substitutions(self) -> Mapping[str, str]:
        """What may stand as `${SerializeImageDataFunctionArn}` in a definition."""
        outputs = self._aws.outputs
        return {name: value for name, value in outputs.items() if name.endswith(("FunctionArn", "StateMachineArn"))}

    def _substituted(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            return self._substitutions.get(found[1], found[0])

        return PLACEHOLDER.sub(value, text)

    def _machine_arn(self, machine: str) -> str:
        return f"{self._aws.output(FIRST_MACHINE).rpartition(':')[0]}:{self._aws.stack}-{machine}"

    def _execution_arn(self, execution: Execution) -> str:
        return self._arn(execution.machine, execution.name)

    def _arn(self, machine: str, name: str) -> str:
        return f"{self._machine_arn(machine).replace(':stateMachine:', ':execution:')}:{name}"

    def _no_machine(self, machine: str) -> NotFound:
        return NotFound(f"No state machine “{machine}”: choose one of {', '.join(self.names()) or 'none'}.")

    # Executions

    def _once_ended(self, known: TtlCache[Events], execution: Execution, ask: Callable[[], Events]) -> Events:
        """Asked for once, if the execution had ended before."""
        return ask() if execution.status is ExecutionStatus.RUNNING else known.get(execution.name, ask)

    def _history(self, arn: str) -> Events:
        pages = self._aws.stepfunctions.get_paginator("get_execution_history").paginate(
            executionArn=arn, PaginationConfig=LONG_PAGES
        )
        return [_with_texts(event) for page in pages for event in page["events"]]

    def _described_runs(self, arn: str) -> Events:
        pages = self._aws.stepfunctions.get_paginator("list_map_runs").paginate(executionArn=arn)
        arns = [run["mapRunArn"] for page in pages for run in page["mapRuns"]]
        found = bounded_map(lambda arn: self._aws.stepfunctions.describe_map_run(mapRunArn=arn), arns, AT_ONCE)
        return sorted(map(_with_texts, found), key=lambda run: str(run["startDate"]))

    def _listed(self, machine: str, status: ExecutionStatus | None) -> Iterator["ExecutionListItemTypeDef"]:
        wanted: Any = {"statusFilter": status} if status else {}
        pages = self._aws.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self._machine_arn(machine), **wanted
        )
        try:
            for page in pages:
                for item in page["executions"]:
                    self._machine_of[item["name"]] = machine
                    yield item
        except NotFound:
            self._machines.forget("")
            raise self._no_machine(machine) from None

    def _describe(self, name: str) -> Execution:
        """Executions are known by their name alone here, and to Step Functions by machine and name."""
        known = self._machine_of.get(name)
        for machine in [known] if known else self._machines.put("", self._names()):
            try:
                found = self._aws.stepfunctions.describe_execution(executionArn=self._arn(machine, name))
            except (NotFound, BadInput):
                continue
            self._machine_of[name] = machine
            return _execution(machine, found)
        raise NotFound(f"No execution “{name}”: list the executions to see their names.")


def _checked(given: Any) -> str:
    try:
        text = json.dumps(given, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(f"The input is not JSON: {error}.") from None
    if len(text.encode()) > MAX_INPUT:
        raise BadInput(
            "The input has more than 262,144 bytes of JSON: put the data into the object store and pass its key."
        )
    return text


def _execution(machine: str, found: "DescribeExecutionOutputTypeDef") -> Execution:
    status = found["status"]
    return Execution(
        name=found["name"],
        machine=machine,
        status=ExecutionStatus.RUNNING if status == "PENDING_REDRIVE" else ExecutionStatus(status),
        started=utc(found["startDate"]),
        input=_json(found.get("input")),
        stopped=utc(found["stopDate"]) if found.get("stopDate") else None,
        output=_json(found.get("output")),
        error=found.get("error"),
        cause=found.get("cause"),
    )


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _with_texts(event: Any) -> Any:
    """An event as it is printed: its times as ISO 8601 text."""
    written: Callable[[datetime], str] = lambda time: utc(time).isoformat(timespec="milliseconds")  # noqa: E731
    return {key: written(value) if isinstance(value, datetime) else value for key, value in event.items()}
