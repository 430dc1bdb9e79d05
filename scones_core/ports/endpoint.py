"""Endpoints, with their data capture and trials."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scones_core.domain.models import CHAMPION_VARIANT


@dataclass(frozen=True)
class EndpointConfig:
    """Configuration of an endpoint. artifact_key: of `model.tar.gz`; capture_percentage: 0 to 100."""

    model: str
    artifact_key: str
    artifact_sha256: str
    variant: str = CHAMPION_VARIANT
    capture_percentage: int = 100


@dataclass(frozen=True)
class Trial:
    """A second production variant beside the champion's.

    config: its variant name differs from the champion's; its capture percentage is the same.
    share: of the traffic, above 0 and below 1; kept as the variants' weights.
    """

    config: EndpointConfig
    share: float


@dataclass(frozen=True)
class Endpoint:
    """status: Creating, Updating, InService, Failed or Deleting, as in SageMaker. config: the champion's."""

    name: str
    status: str
    config: EndpointConfig
    created: datetime
    updated: datetime
    failure_reason: str | None = None
    trial: Trial | None = None


class EndpointService(Protocol):
    capture_prefix: str  # key prefix of data capture, without the endpoint's name; ends with "/"

    def deploy(self, name: str, config: EndpointConfig) -> Endpoint:
        """Create the endpoint, or update it in place. The old model serves until the new one answers.

        Ends a trial. Raises NotFound (no artifact) or Damaged (checksum), and leaves the endpoint unchanged.
        """
        ...

    def set_trial(self, name: str, trial: Trial | None) -> Endpoint:
        """Serve the trial beside the champion, replacing any other trial, or the champion alone (None).

        If only the share differs, only the weights change. Raises NotFound (no endpoint, no artifact) or Damaged
        (checksum), and leaves the endpoint unchanged.
        """
        ...

    def describe(self, name: str) -> Endpoint | None: ...

    def invoke(
        self,
        name: str,
        body: bytes,
        content_type: str,
        *,
        inference_id: str | None = None,
        custom_attributes: str | None = None,
    ) -> list[float]:
        """One inference: probabilities in class-index order. Raises NotFound, BadImage, Unavailable."""
        ...

    def transform(self, config: EndpointConfig, keys: Sequence[str]) -> Sequence[Sequence[float]]:
        """Batch inference over images of the bucket, without endpoint or capture; shape (n, n_classes)."""
        ...

    def delete(self, name: str) -> None: ...
