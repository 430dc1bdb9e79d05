"""Which folders and `.lst` files hold a split: `train`, `Training`, `val`, `test-set`, `eval2017` …"""

import re
from collections.abc import Iterable, Iterator, Mapping

from scones_core.sources.model import Skipped
from scones_core.sources.naming import composed, printable

SPELLINGS = {
    "train": ("train", "training", "trainval", "trn"),
    "validation": ("val", "valid", "validation", "validate", "validating", "dev", "devel", "development"),
    "test": ("test", "tests", "testing", "tst", "eval", "evaluation", "holdout", "hold out"),
    "pool": ("pool",),
}
ROLES = {word: role for role, words in SPELLINGS.items() for word in words}
ENDING = re.compile(r"(.*?)[\W_]*(set|split|data|dataset|images?|imgs?|pictures?|photos?|files?|(19|20)\d\d)?[\W_]*")


def role(name: str) -> str | None:
    """ "train", "validation", "test" or "pool" where a name says so, else None."""
    plain = re.sub(r"[\W_]+", " ", composed(name).casefold()).strip()
    match = ENDING.fullmatch(plain)
    return ROLES.get(plain) or (ROLES.get(match[1]) if match else None)


def last_role(name: str) -> str | None:
    """The same for a name that may begin with another word, as `flowers_train`."""
    return role(name) or role(re.split(r"[\W_]+", name)[-1])


def are_splits(names: Iterable[str]) -> bool:
    """Whether folders of these names are splits, and not classes some of which happen to be called so."""
    roles = [role(name) for name in names]
    return len({"train", "validation", "test"} & set(roles)) > 1 or (bool(roles) and None not in roles)


def splits_of(roles: Mapping[str, str]) -> dict[str, str | None]:
    """For each name the split its images go to, by the name's role; None where they are to be divided.

    `validation` serves as test where there is no test, and as train where there is.
    """
    present = set(roles.values())
    if len(present - {"pool"}) < 2:
        return {name: "pool" if role == "pool" else None for name, role in roles.items()}
    validation = "train" if "test" in present else "test"
    return {name: validation if role == "validation" else role for name, role in roles.items()}


def told(roles: Mapping[str, str]) -> Iterator[Skipped]:
    """What the user should know of where the images go."""
    if {"train", "validation", "test"} <= set(roles.values()):
        for name, role in roles.items():
            if role == "validation":
                yield Skipped(printable(name), "its images are added to the training images, as there is a test split")
