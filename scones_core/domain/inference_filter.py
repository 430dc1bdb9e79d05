"""Which captured inferences to look at."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scones_core.domain.cells import Group
from scones_core.errors import BadInput

_NUMBERED = re.compile(r"class (\d{1,6})")  # the name of a class without one


@dataclass(frozen=True)
class InferenceFilter:
    """None is: any.

    since, until : times (UTC) of [since, until).  model : a model version ("v3"), or an attribution without one.
    prediction : the predicted class by name.  accepted : above the threshold, or not.  reviewed : its image has a
    decision, or not.  above, up_to : confidence in (above, up_to], of at most three decimals.
    """

    since: datetime | None = None
    until: datetime | None = None
    endpoint: str | None = None
    model: str | None = None
    prediction: str | None = None
    accepted: bool | None = None
    reviewed: bool | None = None
    above: float | None = None
    up_to: float | None = None

    def __post_init__(self) -> None:
        for value, least in ((self.above, 0), (self.up_to, 0.001)):
            if value is not None and not (least <= value <= 1 and round(value, 3) == value):
                raise BadInput(f"The confidence {value} is out of range: use 0 to 1 with three decimals, such as 0.93.")

    def has(self, group: Group) -> bool:
        """Whether inferences of a group may be among these."""
        return self.endpoint in (None, group.endpoint) and group.made_by(self.model)


def class_name(names: Sequence[str], index: int) -> str:
    """The name of a class; its index if the names are unknown."""
    return names[index] if index < len(names) else f"class {index}"


def named(prediction: str, lists: Mapping[int, Sequence[str]]) -> set[tuple[int, int]]:
    """The (class list, index) that a predicted class goes by; class list 0 has no names.

    lists : id → class names.
    """
    numbered = _NUMBERED.fullmatch(prediction)
    index = int(numbered[1]) if numbered else -1
    without = {(id, index) for id, names in {0: (), **lists}.items() if numbered and index >= len(names)}
    return without | {(id, names.index(prediction)) for id, names in lists.items() if prediction in names}
