"""What happens to executions when their store fails."""

import logging
import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from scones_core.errors import Damaged, Unavailable
from scones_core.ports import ExecutionStatus
from tests.unit.asl.home import Home, ended
from tests.unit.asl.test_faults import assert_it_still_works
from tests.waiting import LIMIT, until


def database(home: Home) -> Path:
    return home.folder / "home" / "executions.sqlite"


@contextmanager
def without_its_table(home: Home) -> Iterator[None]:
    """Every statement about executions fails meanwhile."""
    with closing(sqlite3.connect(database(home), timeout=LIMIT)) as connection:
        connection.execute("ALTER TABLE executions RENAME TO elsewhere")
        yield
        connection.execute("ALTER TABLE elsewhere RENAME TO executions")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process grows beyond its first page meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_passing_error_does_not_end_the_looks_after_running_executions(home: Home, caplog: pytest.LogCaptureFixture):
    service, other = home.open(), home.open()
    service.start("wait", "one", {})
    with caplog.at_level(logging.ERROR), without_its_table(home):
        until(lambda: "stop requests not read" in caplog.text)
    other.stop("one", error="Enough")
    assert ended(service, "one").error == "Enough"
    assert_it_still_works(service)


def test_a_passing_error_does_not_end_the_writing(home: Home):
    service = home.open()
    with without_its_table(home), pytest.raises(Unavailable, match=r"executions\.sqlite"):
        service.start("pass", "one", {})
    assert_it_still_works(service)


def test_an_end_that_a_full_disk_refuses_is_told_and_written_once_there_is_space(
    home: Home, caplog: pytest.LogCaptureFixture
):
    leave = threading.Event()
    service = home.open(f=lambda event: leave.wait(LIMIT) and "done")
    service.start("call", "one", {})
    until(lambda: len(service.history("one")) >= 4)
    with full_disk():
        leave.set()
        until(lambda: "end of execution not written yet" in caplog.text)
        with pytest.raises(Unavailable, match=r"executions\.sqlite.*free disk space"):
            service.describe("one")
        with pytest.raises(Unavailable, match="free disk space"):
            service.start("pass", "two", {})
        assert [execution.name for execution in service.list()] == ["one"]
    until(lambda: service.list()[0].status is not ExecutionStatus.RUNNING)
    assert service.describe("one").output == "done"
    assert_it_still_works(service)


def test_a_service_over_a_full_disk_can_be_closed(home: Home):
    service = home.open()
    service.start("wait", "one", {})
    with full_disk():
        service.close()
    assert home.open().describe("one").status is ExecutionStatus.ABORTED


@pytest.mark.parametrize("what", ["garbage", "half", "a newer program's"])
def test_a_file_that_cannot_be_used_is_named_with_the_way_out(home: Home, what: str):
    service = home.open()
    for number in range(50):
        service.start("pass", f"e{number}", {"text": "x" * 1_000})
        ended(service, f"e{number}")
    service.close()
    file = database(home)
    if what == "garbage":
        file.write_bytes(b"no database " * 1_000)
    elif what == "half":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2 + 100])
    else:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA user_version = 99")
    with pytest.raises((Damaged, Unavailable), match=r"home/executions\.sqlite.*: (restore it|update)"):
        home.open().list()


def test_a_home_that_is_a_file_is_named(home: Home):
    home.folder.joinpath("home").write_text("not a folder")
    with pytest.raises(Unavailable, match=r"home/executions\.sqlite"):
        home.open()


def test_a_file_that_is_damaged_in_mid_run_is_told_and_ends_no_thread(home: Home):
    leave = threading.Event()
    service = home.open(f=lambda event: leave.wait(LIMIT) and "done")
    service.start("call", "one", {})
    for file in home.folder.joinpath("home").glob("executions.sqlite*"):
        file.write_bytes(b"no database " * 4_000)
    leave.set()

    def work() -> None:
        for number in range(1_000):
            service.start("pass", f"e{number}", {"text": "x" * 10_000})
            service.list()

    with pytest.raises((Damaged, Unavailable), match=r"home/executions\.sqlite"):
        work()
    with pytest.raises((Damaged, Unavailable), match=r"home/executions\.sqlite"):
        home.open()
    assert all(service.threads().values())


def test_a_row_that_lies_too_deep_to_be_read_breaks_no_list(home: Home):
    service = home.open()
    service.start("pass", "one", {})
    ended(service, "one")
    text = "[" * 100_000 + "]" * 100_000
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute("UPDATE executions SET input = ?, output = ?", [text, text])
    (execution,) = service.list()
    assert (execution.input, service.describe("one").output) == (text, text)


def test_a_row_that_is_damaged_is_told_in_one_sentence(home: Home):
    service = home.open()
    service.start("pass", "one", {})
    ended(service, "one")
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute("UPDATE executions SET history = x'00', started = 'yesterday'")
    for ask in (service.list, lambda: service.describe("one"), lambda: service.history("one")):
        with pytest.raises(Damaged, match=r"home/executions\.sqlite.*restore it from a backup"):
            ask()
