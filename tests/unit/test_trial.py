"""A challenger tried on live traffic: started, changed, ended, noted, and told apart from the champion."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from scones_core.db import counts
from scones_core.db import inferences as table
from scones_core.db.schema import deployments, inferences, model_versions
from scones_core.domain.models import CHAMPION_VARIANT, TRIAL_VARIANT, Approval, service_stack
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.services import App, capture, classification, deployment, endpoint_changes, monitoring, training
from tests.conftest import on_every_database


def classify(app: App, images: int = 20) -> None:
    classification.classify(app, classification.sample_keys(app, images, seed=0))
    capture.ingest(app)


def test_a_trial_answers_its_share_and_the_rest_is_the_champions(challenged: App):
    found = deployment.start_trial(challenged, "v2", 0.5, actor="ann")
    assert (found.config.model, found.trial.config.model, found.trial.share) == ("v1", "v2", 0.5)
    classify(challenged)
    figures = {row.variant: row for row in monitoring.by_variant(challenged)}
    assert set(figures) == {CHAMPION_VARIANT, TRIAL_VARIANT}  # one alone: 2 in a million
    assert sum(row.inferences for row in figures.values()) == 20
    assert all(0.5 <= row.mean_confidence <= 1 for row in figures.values())


def test_each_variant_answers_with_its_own_model(challenged: App):
    deployment.start_trial(challenged, "v2", 0.5)
    classify(challenged)
    rows = [capture.inference(challenged, id) for id in monitoring.figures(challenged).points["event_id"]]
    for variant, model in ((CHAMPION_VARIANT, "v1"), (TRIAL_VARIANT, "v2")):
        config = training.endpoint_config(training.model(challenged, model))
        own = [row for row in rows if row["variant"] == variant]
        expected = challenged.backend.endpoints.transform(config, [row["image_key"] for row in own])
        assert [row["probabilities"] for row in own] == [pytest.approx(answer, abs=1e-5) for answer in expected]


def test_a_trial_is_in_the_history_with_who_and_how_much(challenged: App):
    deployment.start_trial(challenged, "v2", 0.1, actor="ann")
    deployment.set_trial_share(challenged, 0.25, actor="bob")
    deployment.end_trial(challenged, actor="cid")
    assert [(d.model, str(d.action), d.actor, d.share) for d in deployment.history(challenged)[1:]] == [
        (2, "start trial", "ann", 0.1),
        (2, "change share", "bob", 0.25),
        (2, "end trial", "cid", None),
    ]
    assert deployment.get_endpoint(challenged).trial is None
    assert training.model(challenged, "v2").approval is Approval.PENDING
    assert deployment.challenger(challenged).id == "v2"


def test_a_trial_is_nothing_to_roll_back_to(challenged: App):
    deployment.start_trial(challenged, "v2", 0.1)
    assert deployment.previous(challenged) is None
    deployment.end_trial(challenged)
    assert deployment.previous(challenged) is None


def test_a_promotion_ends_the_trial(challenged: App):
    deployment.start_trial(challenged, "v2", 0.1)
    promoted = deployment.promote(challenged)
    assert (promoted.config.model, promoted.trial) == ("v2", None)
    assert deployment.trial_started(challenged) is None
    assert deployment.previous(challenged) == "v1"


def test_the_capture_percentage_of_the_champion_is_that_of_the_trial(challenged: App):
    deployment.set_capture(challenged, 0)
    assert deployment.start_trial(challenged, "v2", 0.5).trial.config.capture_percentage == 0
    classify(challenged, 5)
    assert monitoring.by_variant(challenged) == []


@pytest.mark.parametrize("share", [0.0, 0.005, 0.51, 1.0, -0.1, float("nan")])
def test_a_share_outside_of_1_to_50_percent_is_refused(challenged: App, share: float):
    with pytest.raises(BadInput, match="choose between 1% and 50%"):
        deployment.start_trial(challenged, "v2", share)
    deployment.start_trial(challenged, "v2", 0.1)
    with pytest.raises(BadInput, match="choose between 1% and 50%"):
        deployment.set_trial_share(challenged, share)


def test_what_cannot_be_tried_is_refused_with_the_reason(challenged: App):
    with pytest.raises(NotFound, match="No model version “v9”: choose one of v2, v1"):
        deployment.start_trial(challenged, "v9", 0.1)
    with pytest.raises(Conflict, match="v1 is the champion: choose another"):
        deployment.start_trial(challenged, "v1", 0.1)
    for change in (lambda: deployment.set_trial_share(challenged, 0.1), lambda: deployment.end_trial(challenged)):
        with pytest.raises(Conflict, match="No trial is running: start one"):
            change()
    deployment.start_trial(challenged, "v2", 0.1)
    with pytest.raises(Conflict, match="A trial of v2 is running: end it"):
        deployment.start_trial(challenged, "v2", 0.2)
    assert len(deployment.history(challenged)) == 2


def test_without_an_endpoint_there_is_no_trial(challenged: App):
    challenged.backend.endpoints.delete(challenged.settings.endpoint)
    with pytest.raises(NotFound, match="deploy one first"):
        deployment.start_trial(challenged, "v2", 0.1)


def test_a_model_that_knows_other_classes_is_not_tried(challenged: App):
    other = {**training.model(challenged, "v2").hyperparameters, "classes": '["apple", "pear"]'}
    with challenged.db.write() as connection:
        query = sa.update(model_versions).where(model_versions.c.number == 2)
        connection.execute(query.values(hyperparameters=other))
    with pytest.raises(Conflict, match="cannot share an endpoint"):
        deployment.start_trial(challenged, "v2", 0.1)


def test_what_was_captured_before_the_trial_is_not_counted_since_its_start(challenged: App):
    classify(challenged, 5)
    with challenged.db.write() as connection:  # captures tell their time to the second
        connection.execute(sa.update(inferences).values(time=datetime.now(UTC) - timedelta(minutes=1)))
        counts.recount(connection)
    deployment.start_trial(challenged, "v2", 0.5)
    started = deployment.trial_started(challenged)
    assert monitoring.by_variant(challenged, since=started) == []
    assert [row.inferences for row in monitoring.by_variant(challenged)] == [5]
    classify(challenged, 12)
    assert sum(row.inferences for row in monitoring.by_variant(challenged, since=started)) == 12


def test_drift_leaves_out_what_the_trial_answered(challenged: App):
    deployment.start_trial(challenged, "v2", 0.5)
    classify(challenged)
    own = next(row for row in monitoring.by_variant(challenged) if row.variant == CHAMPION_VARIANT)
    found = monitoring.figures(challenged)
    assert (found.inferences, found.drift.recent) == (20, own.inferences)


@pytest.mark.parametrize("begun", ["start", "end"])
def test_a_change_of_which_the_app_has_not_seen_the_end_is_settled_by_what_serves(challenged: App, begun: str):
    deployment.start_trial(challenged, "v2", 0.1)
    if begun == "end":
        deployment.end_trial(challenged)
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    with challenged.db.write() as connection:
        last = sa.select(sa.func.max(deployments.c.id)).scalar_subquery()
        query = sa.update(deployments).where(deployments.c.id == last)
        connection.execute(query.values(done=False, ended=None, time=long_ago))
        lost = {"endpoint": challenged.settings.endpoint, "model": 1, "action": "start trial", "actor": ""}
        connection.execute(sa.insert(deployments), {**lost, "time": long_ago, "done": False, "share": 0.2})
    endpoint_changes.note_ended(challenged)
    assert [(str(d.action), d.model) for d in deployment.history(challenged)][-1] == (f"{begun} trial", 2)


def test_changes_from_two_threads_leave_the_model_in_service_approved(challenged: App):
    def change(_round: int) -> None:
        for turn in (deployment.promote, deployment.rollback):
            with suppress(Conflict):
                turn(challenged)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(change, range(6)))
    serving = deployment.get_endpoint(challenged).config.model
    assert training.model(challenged, serving).approval is Approval.APPROVED
    assert f"v{service_stack(deployment.history(challenged))[-1]}" == serving


def unseen(app: App) -> int:
    with app.db.read() as connection:
        query = sa.select(sa.func.count()).select_from(deployments).where(deployments.c.ended.is_(None))
        return connection.scalar(query)


def test_while_a_change_is_under_way_its_end_is_not_guessed(challenged: App):
    with challenged.db.write() as connection:
        lost = {"endpoint": challenged.settings.endpoint, "model": 2, "action": "promote", "actor": ""}
        connection.execute(sa.insert(deployments), {**lost, "time": datetime.now(UTC), "done": False})
    with challenged.db.turn(endpoint_changes.ENDPOINT):
        endpoint_changes.note_ended(challenged)
        assert unseen(challenged) == 1
    endpoint_changes.note_ended(challenged)
    assert unseen(challenged) == 0
    assert deployment.history(challenged)[-1].model == 1


@on_every_database
def test_inferences_are_told_apart_by_variant_on_every_database(app: App):
    common = {"time": datetime.now(UTC), "image_sha256": "", "content_type": "image/png", "probabilities": [0.9, 0.1]}
    common |= {"prediction": 0, "margin": 0.8, "entropy": 0.3, "capture_key": "k", "capture_line": 0}
    made = {"model": None, "attribution": "unknown", "class_list": None}
    answered = [("a", "scones-unlimited", CHAMPION_VARIANT, 0.9), ("b", "scones-unlimited", TRIAL_VARIANT, 0.95)]
    answered += [("c", "scones-unlimited", TRIAL_VARIANT, 0.85), ("d", "imported", "", 0.5)]
    rows = [
        {**common, "event_id": id, "endpoint": endpoint, "variant": variant, "confidence": confidence, **made}
        for id, endpoint, variant, confidence in answered
    ]
    with app.db.write() as connection:
        table.add(connection, rows)
    found = monitoring.figures(app, at=0.9)
    assert [(row.variant, row.inferences, row.low_confidence) for row in found.by_variant] == [
        (CHAMPION_VARIANT, 1, 1),
        (TRIAL_VARIANT, 2, 1),
    ]
    assert found.by_variant[1].mean_confidence == pytest.approx(0.9)
    assert found.points["trial"].tolist() == [False, True, True, False]
