"""Which folders and `.lst` files hold a split: `train`, `Training`, `val`, `test-set`, `eval2017`, `seg_train` …"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from scones_core.sources.model import Skipped
from scones_core.sources.naming import printable

SPELLINGS = {
    "train": ("train", "training", "trainval", "trn"),
    "validation": ("val", "valid", "validation", "validate", "validating", "dev", "devel", "development"),
    "test": ("test", "tests", "testing", "tst", "eval", "evaluation", "holdout", "hold out"),
    "pool": ("pool",),
}
ROLES = {word: role for role, words in SPELLINGS.items() for word in words}
GLUED = rf"(\w+?)({'|'.join(sorted(ROLES, key=len, reverse=True))})"  # xtrain
GENERIC = r"set|split|data|dataset|images?|imgs?|pictures?|photos?|files?"
ENDING = re.compile(rf"(.*?)[\W_]*({GENERIC}|(19|20)\d\d)?[\W_]*")


def role(name: str) -> str | None:
    """ "train", "validation", "test" or "pool" where a name says so, else None."""
    plain = re.sub(r"[\W_]+", " ", _compatible(name).casefold()).strip()
    match = ENDING.fullmatch(plain)
    return ROLES.get(plain) or (ROLES.get(match[1]) if match else None)


def _compatible(name: str) -> str:
    """`name` with `ｔｒａｉｎ` written as `train` (NFKC)."""
    return unicodedata.normalize("NFKC", name)


def last_role(name: str) -> str | None:
    """The same for a name that may begin with another word, as `flowers_train`."""
    return role(name) or role(re.split(r"[\W_]+", name)[-1])


def are_splits(names: Iterable[str]) -> bool:
    """Whether folders of these names are splits, and not classes some of which happen to be called so."""
    roles = [role(name) for name in names]
    return len({"train", "validation", "test"} & set(roles)) > 1 or (bool(roles) and None not in roles)


@dataclass(frozen=True)
class _Called:
    """What a name with other words in it says: its role, and those words. glued: whether they are one with it."""

    role: str
    others: tuple[str, ...]
    glued: bool = False

    def goes_with(self, train: "_Called") -> bool:
        """Whether the names differ in their roles only, or one of them is its role and nothing else."""
        if self.others == train.others:
            return self.glued == train.glued
        return not (self.glued or train.glued) and not (self.others and train.others)


def split_folders(folders: Mapping[str, Set[str]]) -> dict[str, str]:
    """The roles of those folders that are splits by names as `seg_train`, `trainA` or `xtest`; empty where none is.

    folders: each one's class folders, if it has any. It takes two splits that go together, one of them for training,
    and a class folder that is in both.
    """
    called = {name: found for name, inner in folders.items() if inner and (found := _called(name))}
    for name, train in called.items():
        alike = {other: found.role for other, found in called.items() if found.goes_with(train)}
        shared = (folders[name] & folders[other] for other, role in alike.items() if role != "train")
        if train.role == "train" and any(shared):
            return alike
    return {}


def may_be_split(name: str) -> bool:
    """Whether a word of the name is that of a split. “pool” alone says little: there are swimming pools."""
    called = _called(name)
    return called is not None and called.role != "pool" and not called.glued


def is_doubled(outer: str, inner: str) -> bool:
    """Whether a folder repeats the one it lies in, as in `seg_train/seg_train/…`."""
    found = _called(outer)
    return found is not None and found == _called(inner)


def _called(name: str) -> _Called | None:
    if found := role(name):
        return _Called(found, ())
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", _compatible(name))  # trainA
    words = re.findall(r"[^\W\d_]+", parted.casefold())
    told = [word for word in words if role(word)]
    if len(told) == 1:
        others = [word for word in words if word not in told and not re.fullmatch(GENERIC, word)]
        return _Called(role(told[0]) or "", tuple(others))
    glued = re.fullmatch(GLUED, words[-1]) if words and not told else None
    return _Called(ROLES[glued[2]], (*words[:-1], glued[1]), glued=True) if glued else None


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
