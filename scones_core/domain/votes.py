"""The current answer to an image, from all decisions on it. Votes are kept as they are; their consensus is computed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scones_core.domain.review import Decision, Status, Strategy


@dataclass(frozen=True)
class Standing:
    """decision : the one that stands, or one of the votes.  label : None if votes have no result yet.

    state : VOTING or DISPUTED while votes have no result, else None.
    """

    decision: Decision
    label: str | None
    state: Status | None = None


def standing(decisions: Sequence[Decision], voters: Mapping[int, int] | None = None) -> Standing | None:
    """The current answer; None if there is no decision, or all are taken back.

    decisions : oldest first.  voters : queue → reviewers per image, of queues with several.
    The last decision stands. Decisions made in a queue with several reviewers are votes, the last of each reviewer;
    they give way to any other decision after the first of them, an adjudicator's or a correction. Gold answers do not
    count.
    """
    valid = [one for one in decisions if not one.undone and one.strategy != Strategy.GOLD]
    if not valid:
        return None
    queue = next((one.queue for one in reversed(valid) if voters and one.queue in voters), None)
    if queue is None or not voters:
        return Standing(valid[-1], valid[-1].label)
    first = next(place for place, one in enumerate(valid) if one.queue == queue)
    others = [one for one in valid[first:] if one.queue != queue]
    if others:
        return Standing(others[-1], others[-1].label)
    votes = {one.reviewer: one for one in valid[first:]}
    return consensus(list(votes.values()), voters[queue])


def consensus(votes: Sequence[Decision], voters: int) -> Standing:
    """The label of more than half of the voters; of the most, once all have voted; of the only one, if it has all.

    votes : one per reviewer, at least one. Answers without a label (skip, unusable, unsure) are votes for themselves.
    Ties are disputed.
    """
    counts = Counter(vote.label for vote in votes)
    (label, most), *rest = counts.most_common()
    winner = next(vote for vote in votes if vote.label == label)
    tied = bool(rest) and rest[0][1] == most
    if 2 * most > voters or (len(votes) >= voters and not tied):
        return Standing(winner, label)
    return Standing(votes[-1], None, Status.DISPUTED if len(votes) >= voters else Status.VOTING)
