"""Messages to people."""

from collections.abc import Sequence
from typing import Protocol


class Notifier(Protocol):
    """Channels to people: e-mail, chat, webhooks."""

    def channels(self) -> Sequence[str]:
        """Where messages go, without anything secret; empty when nothing is configured."""
        ...

    def send(self, title: str, body: str) -> None:
        """Send a message to every channel. Raises Unavailable naming the channels that failed."""
        ...
