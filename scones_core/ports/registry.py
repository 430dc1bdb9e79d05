"""A registry that others read: which model versions there are, and which are approved."""

from collections.abc import Mapping
from typing import Protocol

from scones_core.domain.models import Approval
from scones_core.ports.endpoint import EndpointConfig


class ModelRegistry(Protocol):
    """Where others find the model versions; the product itself goes by its database."""

    def publish(self, config: EndpointConfig, approval: Approval, facts: Mapping[str, str]) -> None:
        """Show a model version, or that its approval has changed.  facts : what else is known of it, by name."""
        ...
