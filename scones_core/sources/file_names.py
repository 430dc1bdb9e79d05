"""File names that do not say how they are written: recognised from all of them together, or asked about.

A zip file of an older Windows holds its names in the code page of that computer: GBK, Shift-JIS, cp437 … Read in
another one they are rubbish that looks like text, and would name the classes for good. So a reading counts only where
nearly every character is one that people write in that code page, and where no other reading does as well.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scones_core.errors import BadInput
from scones_core.sources.naming import printable

LEAST, NEXT = 0.8, 0.6  # share of usual characters: of the reading that is taken, and of the best other one
MOST_SHOWN = 3
ENOUGH, ENOUGH_KOREAN = 5, 6  # different characters
OPEN_IN_KOREAN, OPEN_BY_CHANCE = 0.5, 0.25
# One wide character in a word of small letters: “grün” read as Chinese has one, a name in Chinese has not.
LONE = re.compile(r"(?<=[A-Za-z])[^\x00-\x7f](?![^\x00-\x7f])|(?<![^\x00-\x7f])[^\x00-\x7f](?=[A-Za-z])")
MIXED = re.compile(r"[A-Za-z][^\W\dA-Za-z_]|[^\W\dA-Za-z_][A-Za-z]")

# The letters beside a to z; a reading is that of one language. Norwegian stands for Danish, Czech for Slovak as well.
LANGUAGES = {
    "German": "äöüß",
    "French": "àâæçéèêëîïôùûüÿœ",
    "Spanish": "áéíñóúü",
    "Portuguese": "áâãàçéêíóôõúü",
    "Italian": "àèéìîòóù",
    "Swedish": "åäöé",
    "Norwegian": "åæøé",
    "Estonian": "äõöüšž",
    "Polish": "ąćęłńóśźż",
    "Czech": "áäčďéěíĺľňóôŕřšťúůýž",
    "Hungarian": "áéíóöőúüű",
    "Croatian": "čćđšž",
    "Russian": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "Ukrainian": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
}


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
    best = sorted(_without_chance(_readings(odd)), key=lambda reading: -reading.usual)
    rivals = [reading for reading in best[1:] if reading.names != best[0].names]
    if best and best[0].usual >= LEAST and not any(reading.usual > NEXT for reading in rivals):
        return best[0].codec, list(_decoded(raw, best[0].codec) or ())
    shown = list(dict.fromkeys(printable(r.names[0]) for r in best if r.usual > NEXT))[:MOST_SHOWN]
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


def _readings(odd: Sequence[bytes]) -> Iterable[_Reading]:
    for codec, usual in READINGS.items():
        names = _decoded(odd, codec)
        if names is not None:
            yield _Reading(codec, names, usual(names))


def _without_chance(readings: Iterable[_Reading]) -> list[_Reading]:
    """The readings but for those that only chance makes usual, where there are characters enough to tell.

    Every character of one East Asian code page may be a usual one of another: for k characters of Chinese the chance to
    be usual Korean as well is about 0.6^k. But in Korean about half of the syllables end in a vowel, and one in seven
    of those in the code page; and in Big5 many a second byte is below 0x80, and none is in GB 2312.
    """
    kept = {reading.codec: reading for reading in readings}
    korean, chinese, big5 = (kept.get(codec) for codec in ("cp949", "gb18030", "cp950"))
    if korean and len(korean.characters) >= ENOUGH and korean.usual > NEXT:
        share = _open_share(korean.characters)
        if share < OPEN_BY_CHANCE:
            del kept["cp949"]
        elif share >= OPEN_IN_KOREAN and len(korean.characters) >= ENOUGH_KOREAN and korean.usual == 1:
            return [reading for reading in kept.values() if reading not in (chinese, big5)]
    if big5 and chinese and chinese.usual >= LEAST and _could_be_gbk(big5.characters):
        del kept["cp950"]
    return list(kept.values())


def _could_be_gbk(characters: frozenset[str]) -> bool:
    return len(characters) >= ENOUGH and all(character.encode("cp950")[-1] >= 0x80 for character in characters)


def _open_share(syllables: Iterable[str]) -> float:
    """The share of Korean syllables that end in a vowel."""
    places = [ord(syllable) - 0xAC00 for syllable in syllables]
    return sum(place % 28 == 0 for place in places) / len(
        places
    )  # Source: Unicode 16, 3.12: 28 endings, the first none


def _of_characters(codec: str, is_usual: Callable[[bytes], bool]) -> Callable[[Sequence[str]], float]:
    """How usual the different characters of East Asian names are, by where they stand in the code page.

    Each code page has the characters in daily use in rows of their own.
    """

    def usual(names: Sequence[str]) -> float:
        if any(LONE.search(name) for name in names):
            return 0.0
        characters = {character for name in names for character in name if not character.isascii()}
        rare = [c for c in characters if not _is_wide_punctuation(c) and not is_usual(c.encode(codec))]
        return 1 - len(rare) / len(characters)

    return usual


def _is_wide_punctuation(character: str) -> bool:
    return "\u3000" <= character <= "\u303f" or ("\uff00" <= character <= "\uff60" and not character.isalpha())


def _of_one_language(names: Sequence[str]) -> float:
    """1 where all letters are those of one language and stand as in words, else 0."""
    letters = {character.lower() for name in names for character in name if not character.isascii()}
    if not any(letters <= set(alphabet) for alphabet in LANGUAGES.values()):
        return 0.0
    if all("а" <= letter <= "ґ" for letter in letters):
        return float(all(map(_is_cyrillic, names)))
    return float(all(map(_is_cased_like_a_word, names)) and _is_mostly_plain(names))


def _is_cyrillic(name: str) -> bool:
    """Whether no word mixes in a Latin letter, and not all is in capitals, as Hebrew looks when it is read wrongly."""
    return _is_cased_like_a_word(name) and not name.isupper() and not MIXED.search(name)


def _is_mostly_plain(names: Sequence[str]) -> bool:
    """Latin words have fewer letters with accents than without."""
    letters = [character for name in names for character in name if character.isalpha()]
    return sum(not letter.isascii() for letter in letters) < len(letters) / 2


def _is_cased_like_a_word(name: str) -> bool:
    return not any(
        before.islower() and after.isupper() and not (before.isascii() and after.isascii())
        for before, after in pairwise(name)
    )


def _is_usual_in_gbk(code: bytes) -> bool:
    return len(code) == 2 and 0xB0 <= code[0] <= 0xD7 and code[1] >= 0xA1  # GB 2312, level 1


def _is_usual_in_big5(code: bytes) -> bool:
    return len(code) == 2 and 0xA4 <= code[0] <= 0xC6  # level 1


def _is_usual_in_shift_jis(code: bytes) -> bool:
    is_kanji = len(code) == 2 and b"\x88\x9f" <= code <= b"\x98\x72"  # JIS X 0208, level 1
    is_kana = len(code) == 2 and (b"\x82\x9f" <= code <= b"\x82\xf1" or b"\x83\x40" <= code <= b"\x83\x96")
    return is_kanji or is_kana or code in (b"\x81\x5b", b"\x81\x58")  # ー and 々


def _is_usual_in_korean(code: bytes) -> bool:
    return len(code) == 2 and 0xB0 <= code[0] <= 0xC8 and code[1] >= 0xA1  # KS X 1001: syllables


READINGS: dict[str, Callable[[Sequence[str]], float]] = {
    "gb18030": _of_characters("gb18030", _is_usual_in_gbk),
    "cp950": _of_characters("cp950", _is_usual_in_big5),
    "cp932": _of_characters("cp932", _is_usual_in_shift_jis),
    "cp949": _of_characters("cp949", _is_usual_in_korean),
    **dict.fromkeys(("cp437", "cp850", "cp852", "cp866", "cp1250", "cp1251", "cp1252"), _of_one_language),
}
