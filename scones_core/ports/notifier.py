"""Messages to people."""

from collections.abc import Sequence
from typing import Protocol


class Notifier(Protocol):
    """Notification channels: e-mail, chat, webhooks."""

    def channels(self) -> Sequence[str]:
        """The channels, without secrets; empty if none is configured."""
        ...

    def send(self, title: str, body: str, *, channel: int | None = None) -> None:
        """Send a message to every channel, or to the one at this place in `channels`, where the service can.

        Raises Unavailable naming the channels that failed.
        """
        ...
