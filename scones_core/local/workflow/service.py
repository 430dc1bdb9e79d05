"""The embedded workflow service: the ports WorkflowService and StateMachines over the interpreter."""

import asyncio
import atexit
import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from scones_core import logs
from scones_core.errors import BadInput, Conflict, NotFound, Unavailable
from scones_core.local.workflow.asl.errors import StatesError
from scones_core.local.workflow.asl.execution_events import record_end
from scones_core.local.workflow.asl.history import utc_now
from scones_core.local.workflow.asl.jsontext import MAX_DEPTH, dumps, is_too_deep, is_too_large
from scones_core.local.workflow.definitions import Definitions
from scones_core.local.workflow.engine import Engine
from scones_core.local.workflow.environment import Environment
from scones_core.local.workflow.executions_file import telling
from scones_core.local.workflow.functions import Function, Functions, load_handlers
from scones_core.local.workflow.locks import Owner
from scones_core.local.workflow.run import ENDED, EmbeddedHost, Run, begun
from scones_core.local.workflow.store import Store
from scones_core.ports import Execution, ExecutionStatus

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_LOOK_SECONDS = 1.0
_CHECKPOINTS_AT_ONCE = 20  # writing a history takes the thread that runs all executions
_RETRY_SECONDS = 1.0
_log = logs.get(__name__)


class LocalWorkflows:
    """Executions live in `home/executions.sqlite`; processes that share a home see each other's.

    clients : keyword argument of a handler → client, as {"s3": …, "runtime": …}; states that read or write objects
        use "s3", and those that publish use "sns", which by default writes to `home/notifications.jsonl`
    functions : further functions, name → f(event, context, environ); they hide a handler of the same name
    workers : how many functions run at once; by default one more than there are cores, since they compute
    """

    def __init__(
        self,
        home: Path,
        *,
        definitions_dir: Path,
        lambdas_dir: Path,
        clients: Mapping[str, Any],
        functions: Mapping[str, Function] | None = None,
        workers: int | None = None,
    ) -> None:
        with ExitStack() as opened:
            self._store = Store(home)
            opened.callback(self._store.close)
            self._machines = Definitions(definitions_dir, home / "state_machines")
            self._environment = Environment(home / "workflow_environment.json")
            loaded = load_handlers(lambdas_dir, clients) | dict(functions or {})
            with telling(self._store.file):
                self._owner = Owner(home / "workflow_owners")
                opened.callback(self._owner.close)
                self._abort_orphans()
            opened.pop_all()
        self._engine = Engine(workers or min(8, 1 + (os.cpu_count() or 1)))
        called = Functions(loaded, self._environment.read)
        self._host = EmbeddedHost(self._engine, called, clients, self._store, self._owner.name, home)
        self._runs: dict[str, Run] = {}
        self._unwritten: dict[str, Exception] = {}  # executions that have ended, and why their end is not on disk yet
        self._looking: asyncio.Task[Any] | None = None
        self._closed = False
        self._engine.spawn(self._look_after_runs())
        atexit.register(self.close)

    # WorkflowService

    def start(self, machine: str, name: str, input: Any) -> Execution:
        execution = Execution(name, machine, ExecutionStatus.RUNNING, utc_now(), _checked(name, input))
        compiled = self._machines.compiled(machine)
        run = Run(execution, compiled.machine, self._host)
        with telling(self._store.file):
            taken = self._store.insert(execution, self._owner.name, compiled.text).result()
        if taken is not None:
            return _same_or_conflict(self._fresh(taken), execution)
        self._runs[name] = run
        self._engine.spawn(self._run(run))
        _log.info("execution started", execution=name, machine=machine)
        return execution

    def describe(self, name: str) -> Execution:
        found = self._store.get(name)
        if found is None:
            raise NotFound(f"No execution {name!r}: list the executions to see their names.")
        if found.status is ExecutionStatus.RUNNING and (error := self._unwritten.get(name)):
            with telling(self._store.file):
                raise error
        return self._fresh(found)

    def list(
        self,
        machine: str | None = None,
        *,
        status: ExecutionStatus | None = None,
        limit: int = 100,
        before: str | None = None,
        map_run: str | None = None,
    ) -> Sequence[Execution]:
        """As the port says; `map_run` lists the children that a Map Run kept, which are not listed otherwise."""
        self._abort_orphans()
        return self._store.page(machine, status, limit, before, map_run)

    def history(self, name: str) -> Sequence[Mapping[str, Any]]:
        run = self._runs.get(name)
        if run is not None and run.history.events:
            return list(run.history.events)
        execution = self.describe(name)
        return self._store.history(name) or begun(execution).events

    def definition_of(self, name: str) -> Mapping[str, Any]:
        text = self._store.definition(name)
        if text is None:
            raise NotFound(f"No definition is stored for execution {name!r}.")
        definition: Mapping[str, Any] = json.loads(text)
        return definition

    def map_runs(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The Map Runs of an execution, oldest first, each as DescribeMapRun tells it. Raises NotFound."""
        run = self._runs.get(name)
        if run is not None:
            return [map_run.description() for map_run in run.map_runs]
        return self._store.map_runs(self.describe(name).name)

    def stop(self, name: str, *, error: str | None = None, cause: str | None = None) -> None:
        execution = self.describe(name)
        run = self._runs.get(name)
        if run is not None:
            self._engine.call(lambda: run.stop(StatesError(error, cause)))
        elif execution.status is ExecutionStatus.RUNNING:
            with telling(self._store.file):
                self._store.ask_to_stop(name, StatesError(error, cause)).result()

    def configure(self, environment: Mapping[str, str]) -> None:
        self._environment.update(environment)

    def environment(self) -> Mapping[str, str]:
        return self._environment.read()

    # StateMachines

    def names(self) -> Sequence[str]:
        return self._machines.names()

    def definition(self, machine: str) -> Mapping[str, Any]:
        return self._machines.definition(machine)

    def put(self, machine: str, definition: Mapping[str, Any]) -> None:
        self._machines.put(machine, definition)

    def check(self) -> str:
        """Whether the executions, the definitions and the functions' variables can be read. Raises SconesError."""
        self._store.check()
        for machine in self._machines.names():
            self._machines.compiled(machine)
        self._environment.read()
        return "executions, definitions and variables can be read"

    def threads(self) -> Mapping[str, bool]:
        """Whether each thread behind the executions is alive, by name; one that is not needs a restart of the app."""
        looking = self._looking is None or not self._looking.done()
        own = {"executions-writer": self._store.is_writing(), "checkpoints": looking}
        return {**self._engine.threads(), **own}

    def close(self) -> None:
        """End the threads; executions that still run are ABORTED."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._engine.close()
        self._store.close()
        self._owner.close()

    async def _run(self, run: Run) -> None:
        name = run.execution.name
        try:
            ended = await run.run()
        except Exception as error:  # a defect must end this execution, and no other
            _log.error("execution crashed", execution=name, error=repr(error))
            ended = run.broken(error)
        while not await self._is_kept(run, ended):  # an execution must not seem to run for ever
            if self._closed:
                return  # the next process finds that this one has ended
            await asyncio.sleep(_RETRY_SECONDS)
        self._unwritten.pop(name, None)
        self._runs.pop(name, None)
        _log.info("execution ended", execution=name, status=str(ended.status), error=ended.error)

    async def _is_kept(self, run: Run, ended: Execution) -> bool:
        """Write the end of an execution, and tell whether it is on disk; it may not be, as when the disk is full."""
        map_runs = [map_run.description() for map_run in run.map_runs]
        try:
            await asyncio.shield(asyncio.wrap_future(self._store.finish(ended, run.history.events, map_runs)))
        except Exception as error:
            if ended.name not in self._unwritten:
                _log.error("end of execution not written yet", execution=ended.name, error=str(error))
            self._unwritten[ended.name] = error
            return False
        return True

    async def _look_after_runs(self) -> None:
        """Keep how far the executions have come, and stop those that another process wants stopped."""
        self._looking = asyncio.current_task()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                self._stop_what_is_asked()
            except Exception as error:  # passes, as a locked file does; the next look comes
                _log.error("stop requests not read", error=str(error))
            due = [run for run in list(self._runs.values()) if run.checkpoint_is_due()]
            for run in due[:_CHECKPOINTS_AT_ONCE]:
                self._checkpoint(run)

    def _stop_what_is_asked(self) -> None:
        for name, error in self._store.asked_to_stop(self._owner.name):
            if name in self._runs:
                self._runs[name].stop(error)

    def _checkpoint(self, run: Run) -> None:
        try:
            map_runs = [map_run.description() for map_run in run.map_runs]
            self._store.checkpoint(run.execution.name, run.new_events(), map_runs)
        except Exception as error:
            _log.error("no checkpoint", execution=run.execution.name, error=str(error))

    def _fresh(self, execution: Execution) -> Execution:
        """Return the execution as it is now, after a look at whether its process still lives."""
        if execution.status is not ExecutionStatus.RUNNING or execution.name in self._runs:
            return execution
        self._abort_orphans()
        return self._store.get(execution.name) or execution

    def _abort_orphans(self) -> None:
        """End the executions whose process is gone; where that cannot be written now, the next look does it."""
        for owner in self._store.running_owners():
            if self._owner.is_dead(owner):
                try:
                    for execution in self._store.running_of(owner):
                        self._abort(execution, StatesError(None, ENDED))
                    self._owner.bury(owner)
                except (Unavailable, OSError) as error:
                    _log.error("executions of a dead process not ended", error=str(error))

    def _abort(self, execution: Execution, error: StatesError) -> None:
        history = begun(execution)
        history.events = self._store.history(execution.name) or history.events
        record_end(history, 0, ExecutionStatus.ABORTED, None, error)
        map_runs = [run | {"status": "ABORTED"} for run in map(dict, self._store.map_runs(execution.name))]
        ended = replace(execution, status=ExecutionStatus.ABORTED, stopped=utc_now())
        with telling(self._store.file):
            self._store.finish(replace(ended, error=error.error, cause=error.cause), history.events, map_runs).result()


def _checked(name: str, given: Any) -> Any:
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} is not a valid execution name: use 1 to 80 letters, digits, dots, - and _.")
    try:
        text = dumps(given)
        text.encode()
    except (TypeError, ValueError) as error:
        raise BadInput(f"The input is not JSON: {error}.") from None
    except RecursionError:
        text = ""
    if not text or is_too_deep(given, text):
        raise BadInput(f"The input has more than {MAX_DEPTH} nested levels: put it into the bucket.")
    if is_too_large(text):
        raise BadInput("The input has more than 262,144 bytes of JSON: put the data into the bucket and pass its key.")
    return given


def _same_or_conflict(taken: Execution, wanted: Execution) -> Execution:
    """Return the execution that has the name, when it is still the one that is wanted. Raises Conflict."""
    if (taken.machine, taken.input) != (wanted.machine, wanted.input):
        reason = "with another input"
    elif taken.status is not ExecutionStatus.RUNNING:
        reason = "and has ended"
    else:
        return taken
    raise Conflict(f"ExecutionAlreadyExists: execution {wanted.name!r} already exists {reason}; choose another name.")
