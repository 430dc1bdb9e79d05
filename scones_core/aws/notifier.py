"""Notifications through the stack's SNS topic."""

import re
from collections.abc import Sequence

from scones_core.aws.session import Aws

EACH = "each"


class SnsNotifier:
    """If the stack's parameter FailureNotifications is `each`, EventBridge reports every failed execution to the topic,
    even while the app is not running, and the app sends nothing. If `digest`, the app sends one message per burst.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def channels(self) -> Sequence[str]:
        if self._aws.output("FailureNotifications") == EACH:
            return []
        return self.subscriptions()

    def subscriptions(self) -> Sequence[str]:
        """The subscribers, as `email: a…@example.com`."""
        pages = self._aws.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic)
        found = [subscription for page in pages for subscription in page["Subscriptions"]]
        return [f"{s['Protocol']}: {_shortened(s['Endpoint'])}" for s in found]

    def send(self, title: str, body: str, *, channel: int | None = None) -> None:
        """Always to every subscriber: SNS knows no other way."""
        subject = title.encode("ascii", "replace").decode()[:100]  # what SNS takes
        self._aws.sns.publish(TopicArn=self._topic, Subject=subject, Message=body)

    @property
    def _topic(self) -> str:
        return self._aws.output("FailureTopicArn")


def _shortened(address: str) -> str:
    """An address without what could be secret: a mailbox's name, a URL's path."""
    if match := re.fullmatch(r"(.).*@(.*)", address):
        return f"{match[1]}…@{match[2]}"
    if match := re.match(r"(https?://[^/]+)/", address):
        return f"{match[1]}/…"
    return address.rpartition(":")[2]
