"""A folder for workflow services in tests."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scones_core.local.clients import S3Client
from scones_core.local.workflow import LocalWorkflows
from scones_core.ports import Execution, ExecutionStatus
from tests.unit.asl.machines import END, one, task
from tests.unit.asl.world import MemoryObjects
from tests.waiting import until

WAIT = one({"Type": "Wait", "Seconds": 3_600})
PASS = one(END)


class Home:
    """Opens workflow services over one folder, and closes those that a test leaves open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened: list[LocalWorkflows] = []
        self.clients: dict[str, Any] = {"s3": S3Client(MemoryObjects())}

    def open(self, **functions: Callable[..., Any]) -> LocalWorkflows:
        empty = self.folder / "nothing"
        empty.mkdir(exist_ok=True)
        service = LocalWorkflows(
            self.folder / "home",
            definitions_dir=empty,
            lambdas_dir=empty,
            clients=self.clients,
            functions={name: three_arguments(function) for name, function in functions.items()},
        )
        self.opened.append(service)
        for name, definition in (("pass", PASS), ("wait", WAIT), ("call", one(task("f")))):
            service.put(name, definition)
        return service


def three_arguments(function: Callable[..., Any]) -> Callable[[Any, Any, Mapping[str, str]], Any]:
    """A function of the event alone as one that the service calls."""
    return lambda event, context, environ: function(event)


def ended(service: LocalWorkflows, name: str) -> Execution:
    until(lambda: service.describe(name).status is not ExecutionStatus.RUNNING, "the execution does not end")
    return service.describe(name)
