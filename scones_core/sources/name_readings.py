"""The code pages that file names may be written in, and how usual names look when they are read in each.

Each has a function from the names as read to a share, in [0, 1].
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from scones_core.sources.name_letters import ARABIC, GREEK, HEBREW, JAPANESE, LANGUAGES, MISPLACED

Usual = Callable[[Sequence[str]], float]

WESTERN = ("German", "French", "Spanish", "Portuguese", "Italian", "Swedish", "Norwegian", "Icelandic")
CENTRAL = ("German", "Polish", "Czech", "Hungarian", "Croatian", "Romanian")
BALTIC = ("Estonian", "Latvian", "Lithuanian")
CYRILLIC = ("Russian", "Ukrainian")
DOT = "\u0307"  # “İ” has it in small letters
KNOWN = 0.34  # share of characters
# One wide character in a word of small letters: “grün” read as Chinese has one, a name in Chinese has not.
LONE = re.compile(r"(?<=[A-Za-z])[^\x00-\x7f](?![^\x00-\x7f])|(?<![^\x00-\x7f])[^\x00-\x7f](?=[A-Za-z])")
MIXED = re.compile(r"[A-Za-z][^\W\dA-Za-z_]|[^\W\dA-Za-z_][A-Za-z]")


def _of_characters(codec: str, is_usual: Callable[[bytes], bool]) -> Usual:
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


def _of_japanese(names: Sequence[str]) -> float:
    """1 where kana and the characters that children learn first are many, else 0: by chance one in twelve is."""
    characters = {character for name in names for character in name if not character.isascii()}
    known = characters & JAPANESE
    return float(len(known) >= 2 and len(known) / len(characters) >= KNOWN)


def _of_one_language(*languages: str) -> Usual:
    """1 where all letters are those of one language and stand as in words, else 0."""

    def usual(names: Sequence[str]) -> float:
        letters = {letter for letter in "".join(names).lower() if not letter.isascii()} - {DOT}
        if not any(letters <= set(LANGUAGES[language]) and _is_placed(language, names) for language in languages):
            return 0.0
        if all("а" <= letter <= "ґ" for letter in letters):
            return float(all(map(_is_cyrillic, names)))
        return float(all(map(_is_cased_like_a_word, names)) and _is_mostly_plain(names))

    return usual


def _is_placed(language: str, names: Sequence[str]) -> bool:
    misplaced = MISPLACED.get(language)
    return not (misplaced and any(misplaced.search(name.lower()) for name in names))


def _of_script(word: re.Pattern[str], needed: str = "") -> Usual:
    """1 where every word is one of the script, or all in ASCII, and one of them has the needed letter; else 0."""

    def usual(names: Sequence[str]) -> float:
        words = [part for name in names for part in re.split(r"[\x00-@\[-`{-\x7f]+", name)]
        fit = all(part.isascii() or word.fullmatch(part) for part in words)
        return float(fit and any(needed in name for name in names))

    return usual


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


READINGS: dict[str, Usual] = {
    "gb18030": _of_characters("gb18030", _is_usual_in_gbk),
    "cp950": _of_characters("cp950", _is_usual_in_big5),
    "cp932": _of_characters("cp932", _is_usual_in_shift_jis),
    "cp949": _of_characters("cp949", _is_usual_in_korean),
    **dict.fromkeys(("cp437", "cp850"), _of_one_language(*WESTERN)),
    "cp1252": _of_one_language(*WESTERN, "Estonian"),
    **dict.fromkeys(("cp852", "cp1250"), _of_one_language(*CENTRAL)),
    **dict.fromkeys(("cp866", "cp1251"), _of_one_language(*CYRILLIC)),
}
# Code pages that are too rare, or too easily taken for others, to be read; where they make sense, nothing else is sure.
RIVALS: dict[str, Usual] = {
    "euc_jp": _of_japanese,
    "koi8_r": _of_one_language(*CYRILLIC),
    "cp860": _of_one_language("Portuguese"),
    **dict.fromkeys(("cp857", "cp1254"), _of_one_language("Turkish")),
    **dict.fromkeys(("cp775", "cp1257"), _of_one_language(*BALTIC)),
    **dict.fromkeys(("cp862", "cp1255"), _of_script(HEBREW)),
    **dict.fromkeys(("cp737", "cp1253"), _of_script(GREEK)),
    **dict.fromkeys(("cp720", "cp1256"), _of_script(ARABIC, "ا")),
}
