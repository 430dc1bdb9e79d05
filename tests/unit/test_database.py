"""Write transactions: one after another, never one inside another, and nobody waits for ever."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from scones_core.db import Database
from scones_core.db.schema import class_lists
from scones_core.errors import Unavailable
from scones_core.services import App
from tests.conftest import on_every_database
from tests.waiting import LIMIT


@on_every_database
def test_a_write_inside_a_write_is_refused(app: App):
    with app.db.write(), pytest.raises(RuntimeError, match="nested write transaction"), app.db.write():
        pass
    with app.db.write() as connection:  # and nothing stays locked
        connection.execute(sa.text("SELECT 1"))


@on_every_database
def test_whoever_waits_too_long_is_told_who_holds_the_lock(app: App):
    url = None if app.db.is_sqlite else app.db.engine.url.render_as_string(hide_password=False)
    other = Database(app.settings.home, url, lock_timeout=0.2)
    refused: list[str] = []

    def write() -> None:
        try:
            with other.write():
                pass
        except Unavailable as error:
            refused.append(str(error))

    with app.db.write():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(LIMIT)
    assert "has been locked for 0.2 s by" in refused[0]
    assert "process" in refused[0]
    write()
    assert len(refused) == 1
    other.close()


@on_every_database
def test_one_at_a_time_has_its_turn_while_others_write(app: App):
    url = None if app.db.is_sqlite else app.db.engine.url.render_as_string(hide_password=False)
    other = Database(app.settings.home, url)
    with app.db.turn("endpoint"):
        with other.write() as connection:
            connection.execute(sa.text("SELECT 1"))
        with other.turn("something else", timeout=0):
            pass
        with (
            pytest.raises(Unavailable, match=r"endpoint is being changed by .*process"),
            other.turn("endpoint", timeout=0),
        ):
            pass
    with other.turn("endpoint", timeout=0):
        pass
    other.close()


def test_a_waiting_process_gets_the_lock_when_it_is_free(app: App):
    code = "import sys; from pathlib import Path; from scones_core.db import Database\n"
    code += "with Database(Path(sys.argv[1])).write(): print('written')"
    with app.db.write():
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(app.settings.home)], stdout=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.5)
    assert process.communicate(timeout=LIMIT)[0] == "written\n"


def test_many_rows_are_written_by_one_statement(app: App):
    """Between two statements of SQLite, a thread that computes may hold the next one up for 5 ms."""
    written: list[str] = []
    with app.db.write() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *call: written.append(call[2]))
        connection.execute(sa.insert(class_lists), [{"names": f'["{number}"]'} for number in range(500)])
    with app.db.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(class_lists)) == 500
    assert [statement.count("?") for statement in written] == [500]


def test_a_database_of_a_newer_version_says_so(tmp_path: Path):
    database = Database(tmp_path)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(Unavailable, match="newer version"):
        Database(tmp_path)


def test_a_read_only_home_is_told_in_a_sentence(app: App):
    def write() -> None:
        with app.db.read() as connection:
            connection.execute(sa.text("PRAGMA query_only = ON"))
            connection.execute(sa.text("DELETE FROM leases"))

    with pytest.raises(Unavailable, match="right to write"):
        write()


@pytest.mark.parametrize("name", ["what?", "100%20", "a#b", "Zoë 自行车", "a b;c"])
def test_a_home_of_any_name_holds_its_database(tmp_path: Path, name: str):
    database = Database(tmp_path / name)
    with database.write() as connection:
        connection.execute(sa.text("SELECT 1"))
    database.close()
    assert [file.name for file in (tmp_path).iterdir()] == [name]
    assert (tmp_path / name / "scones.db").is_file()
