"""Escaping of user-supplied text for Markdown: nothing in it links, loads, or is formatted."""

import re

_MARKUP = re.compile(r"[\\`*{}\[\]()<>#+!|$:~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BLOCK = re.compile(r"^(\s*)([-=])|^(\s*\d+)(\.)(?!\S)", re.MULTILINE)  # starts a list or underlines a heading
_AUTOLINK = re.compile(r"(?<=://)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
_JOINER = "\u2060"  # zero width; breaks what Markdown would turn into a link


def plain(text: object) -> str:
    """Escape text for Markdown, so that it renders literally; a _ within a word needs no escape."""
    parted = _AUTOLINK.sub(_JOINER, str(text)).replace("://", f":{_JOINER}//")
    return _BLOCK.sub(r"\1\3\\\2\4", _MARKUP.sub(r"\\\g<0>", parted)) if parted.strip() else parted
