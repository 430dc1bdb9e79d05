"""Notifications through Apprise: e-mail, chat and webhooks by URL."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from scones_core.errors import BadInput, Unavailable

WITH_HOST = ("mailto", "json", "xml", "form")


class AppriseNotifier:
    """`urls` as Apprise writes them: `mailto://…`, `slack://…`, `json://127.0.0.1:8080/hook`; they may hold secrets."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)

    def channels(self) -> Sequence[str]:
        """The scheme and, of mail and webhooks, the host; a path may be secret, and other services have no more."""
        return [_named(self._service(number)) for number in range(len(self._urls))]

    def send(self, title: str, body: str, *, channel: int | None = None) -> None:
        failed = [
            name
            for number, name in enumerate(self.channels())
            if channel in (None, number)
            and not self._service(number).notify(title=title, body=body, body_format="text")
        ]
        if failed:
            raise Unavailable(f"The message was not sent to {', '.join(failed)}: check SCONES_NOTIFY and the network.")

    def _service(self, number: int):  # type: ignore[no-untyped-def]  # Apprise has no types
        import apprise  # only when there is something to send: it loads many services

        service = apprise.Apprise.instantiate(self._urls[number])
        if service is None:
            raise BadInput(f"Notification URL {number + 1} in SCONES_NOTIFY is not a valid Apprise URL.")
        return service


def _named(service) -> str:  # type: ignore[no-untyped-def]  # Apprise has no types
    found = urlsplit(service.url(privacy=True))
    return f"{found.scheme}://{found.hostname}" if found.scheme.rstrip("s") in WITH_HOST else f"{found.scheme}://…"
