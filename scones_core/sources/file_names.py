"""File names that do not say how they are written: recognised from all of them together, or asked about.

A zip file of an older Windows holds its names in the code page of that computer: GBK, Shift-JIS, cp437 … Read in
another one they are rubbish that looks like text, and would name the classes for good. So a reading counts only where
nearly every character is one that people write in that code page, and where no other reading does as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scones_core.errors import BadInput
from scones_core.sources.name_letters import KOREAN
from scones_core.sources.name_readings import READINGS, RIVALS, Usual
from scones_core.sources.naming import printable

LEAST, NEXT = 0.8, 0.6  # share of usual characters: of the reading that is taken, and of the best other one
MOST_SHOWN = 3
ENOUGH, ENOUGH_KOREAN = 5, 6  # different characters
OPEN_IN_KOREAN, OPEN_BY_CHANCE = 0.5, 0.25


@dataclass(frozen=True)
class _Reading:
    codec: str
    names: tuple[str, ...]
    usual: float  # share of characters, in [0, 1]

    @property
    def characters(self) -> frozenset[str]:
        return frozenset(character for name in self.names for character in name if not character.isascii())


def decoded(raw: Sequence[bytes], where: str) -> tuple[str, list[str]]:
    """The codec, and the names as text. Raises BadInput where several readings, or none, make sense."""
    for codec in ("ascii", "utf-8"):
        names = _decoded(raw, codec)
        if names is not None:
            return codec, list(names)
    odd = sorted({part for name in raw for part in name.split(b"/") if not part.isascii()})
    best = sorted(_without_chance(_readings(odd, READINGS)), key=lambda reading: -reading.usual)
    rivals = [reading for reading in (*best[1:], *_readings(odd, RIVALS)) if reading.names != best[0].names]
    if best and best[0].usual >= LEAST and not any(reading.usual > NEXT for reading in rivals):
        return best[0].codec, list(_decoded(raw, best[0].codec) or ())
    likely = [reading for reading in (*best[:1], *rivals) if reading.usual > NEXT]
    shown = list(dict.fromkeys(printable(reading.names[0]) for reading in likely))[:MOST_SHOWN]
    raise BadInput(
        f"{where} does not say how its file names are written"
        + (f" ({' or '.join(f'“{name}”' for name in shown)}?)" if shown else "")
        + "; pack it again with names in UTF-8, or give the folder that it was made from."
    )


def _decoded(raw: Iterable[bytes], codec: str) -> tuple[str, ...] | None:
    try:
        return tuple(name.decode(codec) for name in raw)
    except UnicodeDecodeError:
        return None


def _readings(odd: Sequence[bytes], codecs: Mapping[str, Usual]) -> Iterable[_Reading]:
    for codec, usual in codecs.items():
        names = _decoded(odd, codec)
        if names is not None:
            yield _Reading(codec, names, usual(names))


def _without_chance(readings: Iterable[_Reading]) -> list[_Reading]:
    """The readings but for those that only chance makes usual, where there are characters enough to tell.

    Every character of one East Asian code page may be a usual one of another: for k characters of Chinese the chance to
    be usual Korean as well is about 0.6^k. But in Korean most of the syllables are among the commonest 200, and about
    half end in a vowel; of those in the code page it is one in twelve, and one in seven. And in Big5 many a second byte
    is below 0x80, and none is in GB 2312.
    """
    kept = {reading.codec: reading for reading in readings}
    korean, chinese, big5 = (kept.get(codec) for codec in ("cp949", "gb18030", "cp950"))
    if korean and korean.usual > NEXT:
        is_korean = _is_korean(korean.characters)
        if is_korean and korean.usual == 1:
            return [reading for reading in kept.values() if reading not in (chinese, big5)]
        if is_korean is False:
            del kept["cp949"]
    if big5 and chinese and chinese.usual >= LEAST and _could_be_gbk(big5.characters):
        del kept["cp950"]
    return list(kept.values())


def _is_korean(syllables: frozenset[str]) -> bool | None:
    """Whether they are those of Korean words; None where they are too few to tell, or neither usual nor unusual."""
    common = len(syllables & KOREAN)
    if common >= max(3, len(syllables) / 2):
        return True if len(syllables) >= ENOUGH else None
    share = _open_share(syllables)
    if len(syllables) >= ENOUGH and share < OPEN_BY_CHANCE:
        return False
    return True if len(syllables) >= ENOUGH_KOREAN and share >= OPEN_IN_KOREAN else None


def _could_be_gbk(characters: frozenset[str]) -> bool:
    return len(characters) >= ENOUGH and all(character.encode("cp950")[-1] >= 0x80 for character in characters)


def _open_share(syllables: Iterable[str]) -> float:
    """The share of Korean syllables that end in a vowel."""
    endings = [(ord(syllable) - 0xAC00) % 28 for syllable in syllables]  # Source: Unicode 16, 3.12
    return endings.count(0) / len(endings)
