"""Names of state machine variables: https://states-language.net/spec.html#state-machine-variables"""

from collections.abc import Iterable

from scones_core.local.workflow.asl.fields import Fields

MAX_NAME = 80


def checked_names(fields: Fields, names: Iterable[str]) -> None:
    """Refuse what cannot name a variable."""
    for name in names:
        if not name.isidentifier() or len(name) > MAX_NAME:
            raise fields.error(
                "Assign", f"gives the name {name!r}, which is no identifier of at most {MAX_NAME} characters"
            )
        if name == "states":
            raise fields.error("Assign", "must not give a value to 'states', which is reserved")
