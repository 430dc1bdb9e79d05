"""What the migrations make is what the code expects."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr

from scones_core.bootstrap import open_app
from scones_core.db.engine import HEAD, MIGRATIONS
from scones_core.db.schema import metadata
from scones_core.domain.datasets import LabelledImage
from scones_core.domain.datasets import test_set_id as domain_id
from scones_core.services import App, capture, etl, monitoring, review, training
from scones_core.settings import Settings
from tests.conftest import on_every_database


def test_the_newest_migration_is_the_one_that_opening_asks_for():
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


@on_every_database
def test_the_migrated_schema_is_that_of_the_tables(app: App):
    with app.db.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        indexed = {index["name"]: index["column_names"] for index in sa.inspect(connection).get_indexes("inferences")}
    assert indexed["inferences_image"] == ["image_sha256", "confidence"]
    assert indexed["inferences_confidence"] == ["confidence", "model"]


def described(engine: sa.Engine) -> dict[str, object]:
    """Tables with columns, keys and indexes, in the order of their names."""
    found = sa.inspect(engine)

    def columns(table: str) -> list[tuple[object, ...]]:
        rows = found.get_columns(table)
        return sorted((row["name"], str(row["type"]), row["nullable"], str(row["default"])) for row in rows)

    return {
        table: (
            columns(table),
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((row["name"], *row["column_names"], row["unique"]) for row in found.get_indexes(table)),
            sorted((row["constrained_columns"], row["referred_table"]) for row in found.get_foreign_keys(table)),
            sorted(row["column_names"] for row in found.get_unique_constraints(table)),
        )
        for table in sorted(found.get_table_names())
    }


@on_every_database
def test_a_new_home_has_the_schema_that_the_migrations_make(tmp_path: Path, database_url: SecretStr | None):
    url = database_url.get_secret_value() if database_url else f"sqlite:///{tmp_path / 'scones.db'}"
    engine, config = sa.create_engine(url), Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrated = described(engine)
    with engine.begin() as connection:
        everything = sa.MetaData()
        everything.reflect(connection)
        everything.drop_all(connection)
    open_app(Settings(home=tmp_path, database_url=database_url)).close()
    assert described(engine) == migrated
    engine.dispose()


OLD = """
INSERT INTO dataset_versions (id, created, classes, source, generated, train, test, new_labels, skipped)
    VALUES ('d1', 0, '["bicycle", "motorcycle"]', 'old', false, 1, 1, 0, '[]');
INSERT INTO dataset_images (dataset, key, split, class_index, sha256) VALUES ('d1', 'test/a.png', 'test', 1, 'abc');
INSERT INTO training_jobs (name, dataset, created, settled) VALUES ('j1', 'd1', 0, true), ('j2', 'd1', 0, true);
INSERT INTO training_jobs (name, dataset, created, settled) VALUES ('j3', 'd1', 0, true), ('j4', 'd1', 0, false);
INSERT INTO model_versions (number, created, training_job, dataset, hyperparameters, metrics, artifact_key,
    artifact_sha256, approval) VALUES
    (1, 0, 'j1', 'd1', '{"classes": "[\\"bicycle\\", \\"motorcycle\\"]"}', '{}', 'k', 's', 'Approved'),
    (2, 0, 'j2', 'd1', '{"classes": "[\\"apple\\", \\"bus\\"]"}', '{}', 'k', 's', 'Approved');
INSERT INTO deployments (time, endpoint, model, action, actor, done) VALUES
    (100000000, 'scones-unlimited', 1, 'deploy', '', true), (200000000, 'scones-unlimited', 2, 'promote', '', true);
"""
INFERENCES = {"before": 50, "first": 150, "during": 201, "second": 300}


@on_every_database
def test_a_home_of_the_version_before_opens_and_its_history_is_told_rightly(
    tmp_path: Path, database_url: SecretStr | None
):
    url = database_url.get_secret_value() if database_url else f"sqlite:///{tmp_path / 'scones.db'}"
    engine = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        for statement in OLD.split(";\n"):
            connection.exec_driver_sql(statement) if statement.strip() else None
        for id, second in INFERENCES.items():
            connection.exec_driver_sql(
                "INSERT INTO inferences (event_id, time, endpoint, variant, image_sha256, content_type, probabilities,"
                " prediction, confidence, margin, entropy, capture_key, capture_line) VALUES"
                f" ('{id}', {second * 1_000_000}, 'scones-unlimited', 'AllTraffic', '{id}', '', '[0.9, 0.1]',"
                " 0, 0.9, 0.8, 0.3, 'k', 0)"
            )
    engine.dispose()
    app = open_app(Settings(home=tmp_path, database_url=database_url))
    found = {id: review.item(app, id) for id in INFERENCES}
    assert {id: (item.model, item.prediction) for id, item in found.items()} == {
        "before": ("unknown", "class 0"),
        "first": ("v1", "bicycle"),
        "during": ("undecided", "class 0"),
        "second": ("v2", "apple"),
    }
    assert {maker.name: maker.inferences for maker in capture.makers(app)} == {
        "v1": 1,
        "v2": 1,
        "undecided": 1,
        "unknown": 1,
    }
    assert monitoring.figures(app).inferences == len(INFERENCES)
    states = {name: str(record.state) for name, record in training.records(app).items()}
    assert states == {"j1": "registered", "j2": "registered", "j3": "ended", "j4": "open"}
    assert etl.versions(app)[0].test_set == domain_id([LabelledImage("test", "test/a.png", 1, "abc")])
    app.close()
