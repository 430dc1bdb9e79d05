"""Progress and questions on the terminal."""

import sys
from collections.abc import Callable


class Terminal:
    """Progress of a command, on stderr; a bar if that is a terminal."""

    def __init__(self, write: Callable[[str], None], *, interactive: bool) -> None:
        self._write = write
        self._interactive = interactive

    def progress(self, done: int, total: int | None, what: str) -> None:
        if self._interactive:
            filled = f"[{'#' * (30 * done // total):<30}] " if total else ""
            self._write(f"\r{filled}{done}{f'/{total}' if total else ''} {what} ")
            if done == total:
                self._write("\n")

    @property
    def asks(self) -> bool:
        """Whether a user can be asked."""
        return self._interactive and sys.stdin.isatty()

    def yes(self, question: str) -> bool:
        self._write(f"{question} [y/N] ")
        return sys.stdin.readline().strip().casefold() in ("y", "yes")

    def line(self, text: str) -> None:
        self._write(f"{text}\n")
