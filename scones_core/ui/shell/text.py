"""Text that people or files brought, shown as text: nothing in it links, loads, or is formatted."""

import re

_MARKUP = re.compile(r"[\\`*{}\[\]()<>#+!|$:~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BLOCK = re.compile(r"^(\s*)(-|=|\d+(?=[.)]))", re.MULTILINE)  # what begins a list or underlines a heading
_AUTOLINK = re.compile(r"(?<=://)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
_JOINER = "\u2060"  # takes no room, and parts what Markdown would make a link of


def plain(text: object) -> str:
    """The same text for Markdown, with nothing in it that is read as markup; a _ within a word is none."""
    parted = _AUTOLINK.sub(_JOINER, str(text)).replace("://", f":{_JOINER}//")
    return _BLOCK.sub(r"\1\\\2", _MARKUP.sub(r"\\\g<0>", parted)) if parted.strip() else parted
