"""Any interleaving of leases, votes, undo, expiry and repeated sending, from two processes, against a small model."""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scones_core.bootstrap import open_app
from scones_core.db.schema import leases
from scones_core.domain.review import Strategy
from scones_core.errors import Conflict
from scones_core.services import App, capture, queues, review
from scones_core.services.queues import QueueEntry
from scones_core.settings import Settings
from tests.conftest import png
from tests.unit.test_ingest import line

IMAGES, REVIEWERS, LABELS = "abc", ("ann", "bob", "cid"), ("bicycle", "motorcycle")
VOTERS = 2
reviewers = st.sampled_from(REVIEWERS)
images = st.sampled_from(IMAGES)
processes = st.integers(0, 1)


@dataclass
class Said:
    """A decision as the model keeps it."""

    image: str
    reviewer: str
    label: str | None
    queue: int | None
    undone: bool = False


class Review(RuleBasedStateMachine):
    """`log` has every decision in order, `held` who leases what, `sent` what each idempotency key did."""

    @initialize()
    def captured(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="scones-review-machine-"))
        self.apps: list[App] = [open_app(Settings(home=self.folder / "home")) for _ in range(2)]
        lines = [line(id, 0.5 + n / 100, image=png(n, upright=True)) for n, id in enumerate(IMAGES)]
        capture.ingest_files(self.apps[0], [b"".join(lines)], classes=LABELS)
        entries = [QueueEntry(id, "") for id in IMAGES[:2]]
        made = {"strategy": Strategy.SELECTION, "by": "op"}
        self.single = queues.create(self.apps[0], "Single", entries, **made)  # type: ignore[arg-type]
        self.votes = queues.create(self.apps[0], "Votes", entries, reviewers=VOTERS, **made)  # type: ignore[arg-type]
        self.log: list[Said] = []
        self.undos = 0
        self.held: dict[str, tuple[str, int | None]] = {}
        self.sent: dict[str, tuple[str, str, str | None, int | None]] = {}

    def teardown(self) -> None:
        for app in getattr(self, "apps", ()):
            app.close()
        shutil.rmtree(getattr(self, "folder", "/nowhere"), ignore_errors=True)

    def queue_of(self, which: str) -> int | None:
        return {"none": None, "single": self.single, "votes": self.votes}[which]

    @rule(process=processes, who=reviewers, which=st.sampled_from(["votes", "none", "single"]), count=st.integers(1, 3))
    def lease(self, process: int, who: str, which: str, count: int) -> None:
        queue = self.queue_of(which)
        wanted = [id for id in IMAGES if self.waits(id, who, queue)][:count]
        found = [item.id for item in review.next_items(self.apps[process], who, count=count, queue=queue)]
        assert found == wanted
        self.held |= dict.fromkeys(found, (who, queue))

    def waits(self, image: str, who: str, queue: int | None) -> bool:
        if image in self.held and self.held[image][0] != who:
            return False
        if queue is None:
            return not self.valid(image)
        if image not in IMAGES[:2]:
            return False
        votes = {one.reviewer for one in self.valid(image) if one.queue == queue}
        if queue == self.votes:
            return len(votes) < VOTERS and who not in votes
        return not votes and self.label_of(image) is None

    @rule(process=processes, label=st.sampled_from([*LABELS, None]), data=st.data())
    def decide_what_is_held(self, process: int, label: str | None, data: st.DataObject) -> None:
        if self.held:
            image = data.draw(st.sampled_from(sorted(self.held)))
            self.decide(process, self.held[image][0], image, label)

    @rule(process=processes, who=reviewers, image=images, label=st.sampled_from([*LABELS, None]))
    def decide_any(self, process: int, who: str, image: str, label: str | None) -> None:
        self.decide(process, who, image, label)

    def decide(self, process: int, who: str, image: str, label: str | None) -> None:
        holder, queue = self.held.get(image, (who, None))
        key = f"key-{len(self.sent)}"
        try:
            review.decide(self.apps[process], image, label, who, key=key)
        except Conflict:
            assert holder != who
            return
        assert holder == who
        self.held.pop(image, None)
        self.log.append(Said(image, who, label, queue))
        self.sent[key] = (image, who, label, queue)

    @rule(process=processes, data=st.data())
    def send_again(self, process: int, data: st.DataObject) -> None:
        if self.sent:
            key = data.draw(st.sampled_from(sorted(self.sent)))
            image, who, label, _queue = self.sent[key]
            review.decide(self.apps[process], image, label, who, key=key)

    @rule(process=processes, who=reviewers)
    def undo(self, process: int, who: str) -> None:
        last = next((one for one in reversed(self.log) if one.reviewer == who and not one.undone), None)
        try:
            found = review.undo(self.apps[process], who)
        except Conflict:
            assert last is None
            return
        assert last is not None
        assert found.id == last.image
        last.undone = True
        self.undos += 1
        self.held.setdefault(last.image, (who, last.queue))
        if self.held[last.image][0] == who:
            self.held[last.image] = (who, last.queue)

    @rule(image=images)
    def expire(self, image: str) -> None:
        past = datetime.now(UTC) - timedelta(seconds=1)
        digest = capture.inference(self.apps[0], image)["image_sha256"]
        with self.apps[0].db.write() as connection:
            connection.execute(sa.update(leases).where(leases.c.image_sha256 == digest).values(expires=past))
            connection.execute(sa.delete(leases).where(leases.c.image_sha256 == digest))
        self.held.pop(image, None)

    def valid(self, image: str) -> list[Said]:
        return [one for one in self.log if one.image == image and not one.undone]

    def label_of(self, image: str) -> str | None:
        """By hand: an answer after the first vote beats the votes; both voters must say the same."""
        said = self.valid(image)
        ballots = [one for one in said if one.queue == self.votes]
        if not ballots:
            return said[-1].label if said else None
        after = said[said.index(ballots[0]) :]
        if others := [one for one in after if one.queue != self.votes]:
            return others[-1].label
        last = {one.reviewer: one.label for one in ballots}
        return next(iter(last.values())) if len(last) >= VOTERS and len(set(last.values())) == 1 else None

    @invariant()
    def labels_are_those_of_the_decisions(self) -> None:
        if not hasattr(self, "apps"):
            return
        labels = {row["id"]: row["label"] for row in review.reviewed(self.apps[0])}
        for image in IMAGES:
            assert labels.get(image) == self.label_of(image)
            assert (image in labels) == bool(self.valid(image))
        revisions = sum(review.item(self.apps[1], image).revision for image in IMAGES)
        assert revisions == len(self.log) + self.undos

    @invariant()
    def queues_count_what_is_decided(self) -> None:
        if not hasattr(self, "apps"):
            return
        done = [id for id in IMAGES[:2] if len({s.reviewer for s in self.valid(id) if s.queue == self.votes}) >= VOTERS]
        assert queues.progress(self.apps[1], self.votes).decided == len(done)


TestReview = Review.TestCase
TestReview.settings = settings(
    max_examples=16,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
