"""Queries on classes that reviewers propose."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scones_core.db.schema import class_proposals, decisions
from scones_core.domain.review import ProposalState


def add(connection: sa.Connection, name: str, decision: int) -> None:
    values = {"name": name, "decision": decision, "state": str(ProposalState.OPEN)}
    connection.execute(sa.insert(class_proposals), values)


def accepted(connection: sa.Connection) -> tuple[str, ...]:
    """Names of the accepted classes, in the order of their acceptance."""
    query = sa.select(class_proposals.c.name).where(class_proposals.c.state == str(ProposalState.ACCEPTED))
    query = query.group_by(class_proposals.c.name).order_by(sa.func.min(class_proposals.c.settled))
    return tuple(connection.scalars(query))


def open_ones(connection: sa.Connection, name: str | None = None) -> list[dict[str, Any]]:
    """Open proposals whose decision has not been taken back, with the decision's columns, oldest first."""
    undoing = decisions.alias("undoing")
    query = (
        sa.select(decisions, class_proposals.c.name.label("proposed"), class_proposals.c.id.label("proposal"))
        .join(decisions, decisions.c.id == class_proposals.c.decision)
        .where(class_proposals.c.state == str(ProposalState.OPEN))
        .where(~sa.exists().where(undoing.c.undoes == decisions.c.id))
        .order_by(class_proposals.c.id)
    )
    if name is not None:
        query = query.where(class_proposals.c.name == name)
    return [dict(row) for row in connection.execute(query).mappings()]


def settle(connection: sa.Connection, name: str, state: ProposalState, by: str, time: datetime) -> None:
    """Accept or decline all open proposals of a name."""
    of_name = sa.and_(class_proposals.c.name == name, class_proposals.c.state == str(ProposalState.OPEN))
    values = {"state": str(state), "settled_by": by, "settled": time}
    connection.execute(sa.update(class_proposals).where(of_name).values(**values))
