"""An external registry of model versions and their approval."""

from collections.abc import Mapping
from typing import Protocol

from scones_core.domain.models import Approval
from scones_core.ports.endpoint import EndpointConfig


class ModelRegistry(Protocol):
    """Publishes model versions for other tools; the product itself reads its database."""

    def publish(self, config: EndpointConfig, approval: Approval, facts: Mapping[str, str]) -> None:
        """Publish a model version, or a change of its approval.  facts : further properties, by name."""
        ...
