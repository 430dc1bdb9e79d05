"""What the migrations make is what the code expects."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from scones_core.db.engine import HEAD, MIGRATIONS
from scones_core.db.schema import metadata
from scones_core.services import App
from tests.conftest import on_every_database


def test_the_newest_migration_is_the_one_that_opening_asks_for():
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


@on_every_database
def test_the_migrated_schema_is_that_of_the_tables(app: App):
    with app.db.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        indexed = {index["name"]: index["column_names"] for index in sa.inspect(connection).get_indexes("inferences")}
    assert indexed["inferences_image"] == ["image_sha256", "confidence"]
