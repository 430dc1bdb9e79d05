"""The embedded workflow service: its threads, its definitions, restarts, several processes, and Map Runs."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scones_core.errors import BadDefinition, Conflict
from scones_core.local.workflow import LocalWorkflows
from scones_core.ports import ExecutionStatus
from tests.unit.asl.home import PASS, WAIT, Home, ended, three_arguments
from tests.unit.asl.machines import FUNCTION, one, task
from tests.waiting import LIMIT, until

ROOT = Path(__file__).parents[3]


# Threads


def test_waiting_executions_hold_no_threads(home: Home):
    service = home.open()
    before = threading.active_count()
    for number in range(200):
        service.start("wait", f"w{number}", {})
    until(lambda: all(len(service.history(f"w{number}")) == 2 for number in range(200)))
    assert threading.active_count() == before


def test_functions_run_at_once_but_never_more_than_the_workers(home: Home):
    running, most, lock = [0], [0], threading.Lock()
    three = threading.Barrier(3, timeout=LIMIT)

    def f(event: Any) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        three.wait()
        with lock:
            running[0] -= 1

    service = LocalWorkflows(
        home.folder / "few",
        definitions_dir=home.folder,
        lambdas_dir=home.folder,
        clients={},
        functions={"f": three_arguments(f)},
        workers=3,
    )
    home.opened.append(service)
    service.put("call", one(task("f")))
    for number in range(21):
        service.start("call", f"e{number}", {})
    assert {ended(service, f"e{number}").status for number in range(21)} == {ExecutionStatus.SUCCEEDED}
    assert most[0] == 3


def test_a_function_that_outlives_the_service_ends_quietly(home: Home):
    begun, leave, threads = threading.Event(), threading.Event(), list[threading.Thread]()

    def f(event: Any) -> None:
        threads.append(threading.current_thread())
        begun.set()
        leave.wait(LIMIT)

    service = home.open(f=f)
    service.start("call", "late", {})
    assert begun.wait(LIMIT)
    service.close()
    leave.set()
    threads[0].join(LIMIT)  # an error in a thread fails the test


# State machines


def test_definitions_are_kept_and_checked(home: Home):
    service = home.open()
    assert set(service.names()) == {"pass", "wait", "call"}
    assert service.definition("wait") == WAIT
    with pytest.raises(BadDefinition, match="State 'S': a field Next"):
        service.put("bad", one({"Type": "Pass", "Next": "Nowhere"}))
    with pytest.raises(BadDefinition, match="is not a valid state machine name"):
        service.put("../bad", PASS)
    assert "bad" not in service.names()


def test_a_running_execution_keeps_the_definition_it_was_started_with(home: Home):
    release = threading.Event()
    service = home.open(f=lambda event: release.wait(LIMIT) and "old")
    service.start("call", "one", {})
    service.put("call", one({"Type": "Pass", "Result": "new"}))
    service.start("call", "two", {})
    release.set()
    assert (ended(service, "one").output, ended(service, "two").output) == ("old", "new")


# The functions of the project


def test_the_environment_of_the_functions_is_kept_and_seen_by_every_process(tmp_path: Path):
    seen = []

    def f(event: Any, context: Any, environ: Mapping[str, str]) -> None:
        seen.append(dict(environ))

    def opened() -> LocalWorkflows:
        return LocalWorkflows(
            tmp_path / "home", definitions_dir=tmp_path, lambdas_dir=tmp_path, clients={}, functions={"f": f}
        )

    first, second = opened(), opened()
    first.put("call", one(task("f")))
    first.configure({"A": "1", "B": "1"})
    second.configure({"B": "2"})
    first.start("call", "one", {})
    ended(first, "one")
    assert seen == [{"A": "1", "B": "2"}]
    first.close()
    second.close()


# Restarts and several processes

CHILD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from scones_core.local.workflow import LocalWorkflows
folder = Path(sys.argv[2])
nothing = folder / "nothing"
service = LocalWorkflows(folder / "home", definitions_dir=nothing, lambdas_dir=nothing, clients={})
service.start("wait", "theirs", {})
while len(service.history("theirs")) < 2:
    time.sleep(0.01)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def other_process(home: Home) -> Iterator[subprocess.Popen[str]]:
    """Another process over the same home, in which the execution `theirs` runs."""
    home.open().close()
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(ROOT), str(home.folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_an_execution_of_another_living_process_is_left_alone(home: Home, other_process: "subprocess.Popen[str]"):
    service = home.open()
    assert service.describe("theirs").status is ExecutionStatus.RUNNING
    assert [execution.name for execution in service.list(status=ExecutionStatus.RUNNING)] == ["theirs"]


def test_an_execution_of_a_killed_process_is_aborted_with_a_cause(home: Home, other_process: "subprocess.Popen[str]"):
    service = home.open()
    os.kill(other_process.pid, signal.SIGKILL)
    other_process.wait()
    execution = service.describe("theirs")
    assert execution.status is ExecutionStatus.ABORTED
    assert "running this execution ended" in str(execution.cause)
    assert service.history("theirs")[-1]["type"] == "ExecutionAborted"


def test_an_execution_of_another_process_can_be_stopped(home: Home, other_process: "subprocess.Popen[str]"):
    service = home.open()
    service.stop("theirs", error="Enough")
    assert ended(service, "theirs").error == "Enough"
    assert other_process.poll() is None


def test_an_execution_of_another_process_has_a_history(home: Home, other_process: "subprocess.Popen[str]"):
    service = home.open()
    assert service.history("theirs")[0]["type"] == "ExecutionStarted"
    until(lambda: len(service.history("theirs")) == 2)


def test_closing_aborts_what_still_runs_and_keeps_what_has_ended(home: Home):
    service = home.open()
    service.start("pass", "done", {"a": 1})
    ended(service, "done")
    service.start("wait", "open", {})
    service.close()
    reopened = home.open()
    assert reopened.describe("done").output == {"a": 1}
    assert reopened.describe("open").status is ExecutionStatus.ABORTED
    assert len(reopened.history("done")) == 4


def test_two_services_over_one_home_see_each_others_executions(home: Home):
    first, second = home.open(), home.open()
    first.start("pass", "one", {})
    assert ended(second, "one").status is ExecutionStatus.SUCCEEDED
    first.start("wait", "two", {})
    assert second.describe("two").status is ExecutionStatus.RUNNING
    with pytest.raises(Conflict):
        second.start("pass", "one", {})


# Map Runs


def test_the_children_of_a_map_run_are_listed_with_it_only(home: Home):
    service = home.open(f=lambda event: event * 2)
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    processor = {**config, "StartAt": "I", "States": {"I": {"Type": "Task", "Resource": FUNCTION + "f", "End": True}}}
    service.put("map", one({"Type": "Map", "Label": "Items", "ItemProcessor": processor}))
    service.start("map", "one", [1, 2, 3])
    assert ended(service, "one").output == [2, 4, 6]
    (run,) = service.map_runs("one")
    assert (run["status"], run["itemCounts"]["succeeded"]) == ("SUCCEEDED", 3)
    assert [execution.name for execution in service.list()] == ["one"]
    children = service.list(map_run=run["mapRunArn"])
    assert sorted(execution.output for execution in children) == [2, 4, 6]
    assert {execution.machine for execution in children} == {"map/Items"}
    assert service.history(children[0].name)[0]["type"] == "ExecutionStarted"


def test_notifications_are_kept_in_the_home(home: Home):
    service = home.open()
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": "arn:aws:sns:local:000000000000:alerts", "Message.$": "$.text", "Subject": "S"},
        "ResultPath": "$.sent",
    }
    service.put("notify", one(state))
    service.start("notify", "one", {"text": "hello"})
    sent = ended(service, "one").output["sent"]
    (line,) = (home.folder / "home" / "notifications.jsonl").read_text().splitlines()
    assert json.loads(line)["Message"] == "hello"
    assert json.loads(line)["MessageId"] == sent["MessageId"]
