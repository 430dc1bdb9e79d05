"""Several reviewers per image: votes are kept, their consensus is computed; agreement, gold images, own figures."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from scones_core.db import review_orders
from scones_core.domain.agreement import fleiss_kappa, krippendorff_alpha
from scones_core.domain.review import Decision, Status, Strategy
from scones_core.domain.votes import standing
from scones_core.errors import BadInput, Conflict
from scones_core.services import App, capture, etl, gold, queue_making, queues, review, review_search, reviewers
from scones_core.services.queues import QueueEntry
from tests.conftest import on_every_database, png
from tests.unit.test_ingest import line

FLEISS_1971 = [  # 10 subjects, 5 categories, 14 raters
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
KRIPPENDORFF_2011 = {  # section C: 12 units, 4 observers, missing data
    "A": "123321412...",
    "B": "1233224125.3",
    "C": ".3332342251.",
    "D": "12332441251.",
}


def test_two_reviewers_who_disagree_on_the_only_image_agree_less_than_by_chance():
    assert fleiss_kappa([[1, 1]]) == -1


def test_fleiss_kappa_is_that_of_a_published_table():
    assert fleiss_kappa(FLEISS_1971) == pytest.approx(0.210, abs=0.0005)


def test_krippendorffs_alpha_is_that_of_a_published_table():
    units = [{who: labels[n] for who, labels in KRIPPENDORFF_2011.items() if labels[n] != "."} for n in range(12)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=0.0005)


def test_perfect_agreement_is_one_and_of_one_class_undefined():
    assert fleiss_kappa([[2, 0], [0, 2]]) == 1
    assert krippendorff_alpha([{"a": "x", "b": "x"}, {"a": "y", "b": "y"}]) == 1
    assert fleiss_kappa([[2, 0], [2, 0]]) is None
    assert krippendorff_alpha([{"a": "x", "b": "x"}]) is None
    assert krippendorff_alpha([{"a": "x"}]) is None
    with pytest.raises(ValueError, match="same number"):
        fleiss_kappa([[1, 1], [1, 2]])


def test_labels_given_by_chance_agree_no_more_than_chance():
    random = np.random.default_rng(0)
    labels = random.integers(3, size=(2000, 2))
    units = [{"a": str(one), "b": str(other)} for one, other in labels]
    assert abs(krippendorff_alpha(units) or 1) < 0.05


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def made(*said: tuple[str, str | None, int | None]) -> list[Decision]:
    """Decisions of (reviewer, label, queue)."""
    return [Decision(n, "e", label, who, "", NOW, queue=queue) for n, (who, label, queue) in enumerate(said)]


@pytest.mark.parametrize(
    ("said", "label", "state"),
    [
        ([("ann", "x", 1)], None, Status.VOTING),
        ([("ann", "x", 1), ("bob", "x", 1)], "x", None),
        ([("ann", "x", 1), ("bob", "y", 1)], None, Status.VOTING),
        ([("ann", "x", 1), ("bob", "y", 1), ("cid", "z", 1)], None, Status.DISPUTED),
        ([("ann", "x", 1), ("bob", "y", 1), ("cid", "y", 1)], "y", None),
        ([("ann", "x", 1), ("ann", "y", 1), ("bob", "y", 1)], "y", None),
        ([("ann", "x", 1), ("bob", "x", 1), ("dan", "z", None)], "z", None),
        ([("dan", "z", None), ("ann", "x", 1), ("bob", "x", 1)], "x", None),
        ([("ann", "x", 1), ("dan", "z", None), ("bob", "x", 1), ("cid", "x", 1)], "z", None),
        ([("ann", "x", 2), ("bob", "y", 2)], "y", None),
    ],
)
def test_the_consensus_of_three_reviewers(
    said: list[tuple[str, str | None, int | None]], label: str | None, state: Status | None
):
    found = standing(made(*said), {1: 3})
    assert found is not None
    assert (found.label, found.state) == (label, state)


def test_of_four_reviewers_who_have_all_voted_two_of_one_mind_decide():
    decisions = made(("ann", "x", 1), ("bob", "y", 1), ("cid", "z", 1), ("dan", "x", 1))
    assert (found := standing(decisions, {1: 4})) is not None
    assert (found.label, found.state) == ("x", None)
    assert (found := standing(decisions[:3], {1: 4})) is not None
    assert (found.label, found.state) == (None, Status.VOTING)


def test_a_vote_taken_back_and_a_gold_answer_do_not_count():
    decisions = made(("ann", "x", 1), ("bob", "y", 1), ("cid", "x", 1))
    found = standing([replace(decisions[0], undone=True), *decisions[1:]], {1: 3})
    assert found is not None
    assert found.state is Status.VOTING
    assert standing([replace(decisions[0], strategy="gold", queue=None)]) is None


@pytest.fixture
def captured(app: App, images: Path) -> App:
    etl.load(app, str(images))
    files = [b"".join(line(id, image=png(n, upright=True)) for n, id in enumerate("abcdefgh"))]
    capture.ingest_files(app, files, classes=["bicycle", "motorcycle"])
    return app


def vote(app: App, reviewers: int, **labels: str) -> int:
    """A queue in which each reviewer gives the labels of the letters, of b(icycle), m(otorcycle), u(nsure) or -."""
    words = {"b": "bicycle", "m": "motorcycle", "u": "unsure"}
    entries = [QueueEntry(id, "") for id in "abcdefgh"]
    queue = queues.create(app, "Votes", entries, strategy=Strategy.SELECTION, by="op", reviewers=reviewers)
    for reviewer, letters in labels.items():
        for id, letter in zip("abcdefgh", letters, strict=False):
            if letter != "-":
                review.decide(app, id, words[letter], reviewer, queue=queue, note="?" if letter == "u" else "")
    return queue


@on_every_database
def test_votes_are_kept_and_their_consensus_is_the_label(captured: App):
    vote(captured, 3, ann="bbmb", bob="bmm-", cid="bmbu")
    rows = {row["id"]: (row["label"], row["status"]) for row in review.reviewed(captured)}
    assert rows == {
        "a": ("bicycle", Status.CONFIRMED),
        "b": ("motorcycle", Status.RELABELLED),
        "c": ("motorcycle", Status.RELABELLED),
        "d": (None, Status.VOTING),
    }
    assert len(review_search.image_history(captured, "b").decisions) == 3


@on_every_database
def test_an_adjudicator_decides_what_reviewers_dispute_or_leave(captured: App):
    vote(captured, 2, ann="bbb", bob="bmb")
    review.decide(captured, "h", "unsure", "ann", note="a tandem?")
    queue = queue_making.make(captured, "Disputes", Strategy.ADJUDICATION, size=9, by="op")
    items = review.next_items(captured, "op", count=9, queue=queue)
    assert {item.id: item.why for item in items} == {
        "b": "ann: bicycle; bob: motorcycle",
        "h": "ann: unsure, “a tandem?”",
    }
    review.decide(captured, "b", "motorcycle", "op", queue=queue)
    assert {row["id"]: row["label"] for row in review.reviewed(captured)}["b"] == "motorcycle"
    assert [item.id for item in review.next_items(captured, "op", count=9, queue=queue)] == ["h"]


@on_every_database
def test_agreement_is_measured_on_the_votes(captured: App):
    queue = vote(captured, 2, ann="bbmmbbmu", bob="bbmmbmm-")
    found = reviewers.agreement(captured, queue)
    assert (found.images, found.agreed) == (7, 6)
    [(pair, (images, kappa))] = found.kappas.items()
    assert (pair, images, kappa) == (("ann", "bob"), 7, pytest.approx(0.72))
    assert found.alpha is not None
    assert found.alpha > 0.7
    single = queues.create(captured, "One", [QueueEntry("a", "")], strategy=Strategy.SELECTION, by="op")
    with pytest.raises(Conflict, match="one reviewer per image"):
        reviewers.agreement(captured, single)


@on_every_database
def test_a_gold_image_looks_like_the_others_measures_its_reviewer_and_keeps_its_label(captured: App):
    review.decide(captured, "a", "motorcycle", "op")
    gold.set_gold(captured, "a", "motorcycle", "op")
    gold.set_rate(captured, 0.5, "op")
    items = review.next_items(captured, "ann", count=7)
    [planted] = [item for item in items if item.id == "a"]
    other = next(item for item in items if item.id != "a")
    assert (planted.strategy, planted.probability, planted.queue) == (other.strategy, other.probability, other.queue)
    assert planted.why
    found = review.decide(captured, "a", "bicycle", "ann", key="k", revision=planted.revision)
    assert (found.label, found.status) == ("bicycle", Status.CONFIRMED)
    assert review.reviewed(captured)[0]["label"] == "motorcycle"
    [ann] = [one for one in reviewers.figures(captured, "op") if one.reviewer == "ann"]
    assert (ann.gold, ann.right, ann.decisions) == (1, 0, 1)
    assert ann.interval == (0.0, pytest.approx(0.975))
    review.undo(captured, "ann")
    assert review.decide(captured, "a", "motorcycle", "ann").label == "motorcycle"
    [ann] = [one for one in reviewers.figures(captured, "op") if one.reviewer == "ann"]
    assert (ann.gold, ann.right) == (1, 1)
    assert "a" not in [item.id for item in review.next_items(captured, "ann", count=9)]


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_gold_images_are_the_set_share_of_what_is_shown(captured: App, share: float, monkeypatch: pytest.MonkeyPatch):
    for id in "abcdefg":
        review.decide(captured, id, "motorcycle", "op")
        gold.set_gold(captured, id, "motorcycle", "op")
    monkeypatch.setattr(gold, "random", random.Random(0))
    shown: list[bool] = []
    with captured.db.read() as connection:
        others = review_orders.open_items(
            connection, strategy=Strategy.NEWEST, count=1, reviewer="ann", now=datetime.now(UTC)
        )
        assert [one.row["event_id"] for one in others] == ["h"]
        for _ in range(2_000):
            planted = gold.planted(connection, others, "ann", share)
            shown += [one.strategy is Strategy.GOLD for one in planted]
            assert all(one.why == others[0].why for one in planted)
    assert np.mean(shown) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("rate", [-0.1, 0.6])
def test_a_rate_of_gold_images_has_bounds(captured: App, rate: float):
    with pytest.raises(BadInput, match=r"from 0 to 0\.5"):
        gold.set_rate(captured, rate, "op")
    with pytest.raises(BadInput, match="needs a label"):
        gold.set_gold(captured, "a", "unsure", "op")


def test_reviewers_see_their_own_figures_and_operators_all(captured: App):
    review.decide(captured, "a", "bicycle", "ann")
    review.decide(captured, "b", "motorcycle", "bob")
    review.decide(captured, "b", "bicycle", "op")
    named = replace(captured, settings=captured.settings.model_copy(update={"operators": "Op, someone"}))
    assert [one.reviewer for one in reviewers.figures(named, "ann")] == ["ann"]
    assert [one.reviewer for one in reviewers.figures(named, "op")] == ["ann", "bob", "op"]
    assert len(reviewers.figures(captured, "ann")) == 3
    bob = reviewers.figures(captured, "ann")[1]
    assert (bob.decisions, bob.relabelled, bob.overruled, bob.interval) == (1, 1, 1, None)


def test_taking_a_vote_back_takes_the_image_from_nobody(captured: App):
    queue = vote(captured, 2, ann="b")
    [item] = review.next_items(captured, "bob", queue=queue)
    assert item.id == "a"
    review.undo(captured, "ann")
    assert review.decide(captured, "a", "motorcycle", "bob", queue=queue).status is Status.VOTING
