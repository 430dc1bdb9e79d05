"""SageMaker's Model objects: an artifact with the container that serves it."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from scones_core.aws.algorithms import Hardware, image_uri, serving_environment
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.session import Aws, resource_name
from scones_core.aws.training import algorithm_of
from scones_core.errors import Conflict, Damaged
from scones_core.ports import EndpointConfig

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import ContainerDefinitionTypeDef

# Variables of the model's container that keep what the product knows of it, so that it is read back with the model.
LABEL, KEY, SHA256 = "SCONES_MODEL", "SCONES_ARTIFACT_KEY", "SCONES_ARTIFACT_SHA256"


class Models:
    """Creates a Model for an artifact, once; its name is derived from its contents."""

    def __init__(self, aws: Aws, objects: S3ObjectStore, machines: Hardware) -> None:
        self._aws = aws
        self._objects = objects
        self._machines = machines
        self._verified: set[tuple[str, str]] = set()

    def create(self, config: EndpointConfig) -> str:
        """The Model's name. Raises NotFound (no artifact) or Damaged (checksum)."""
        self.verify(config)
        container = self.container(config)
        digest = hashlib.sha256(json.dumps(container, sort_keys=True).encode()).hexdigest()
        name = resource_name(self._aws.stack, config.model, digest)
        role = self._aws.output("SageMakerRoleArn")
        with suppress(Conflict):  # the same contents have been here before
            self._aws.sagemaker.create_model(
                ModelName=name,
                ExecutionRoleArn=role,
                PrimaryContainer=container,
                Tags=[{"Key": "scones:stack", "Value": self._aws.stack}],
            )
        return name

    def container(self, config: EndpointConfig) -> "ContainerDefinitionTypeDef":
        """The image, the artifact and the variables that serve it."""
        return {
            "Image": self._image(config.artifact_key),
            "ModelDataUrl": self._objects.uri(config.artifact_key),
            "Environment": {**self._environment(config), **_note(config)},
        }

    def verify(self, config: EndpointConfig) -> None:
        """Compare the artifact with its checksum, once for each. Raises NotFound, Damaged."""
        wanted = (config.artifact_key, config.artifact_sha256)
        if wanted in self._verified:
            return
        digest = hashlib.sha256()
        for chunk in self._objects.chunks(config.artifact_key):
            digest.update(chunk)
        if digest.hexdigest() != config.artifact_sha256:
            raise Damaged(f"The artifact of {config.model} is damaged: its checksum differs; train it again.")
        self._verified.add(wanted)

    def _image(self, artifact_key: str) -> str:
        algorithm = algorithm_of(self._objects, artifact_key)
        return image_uri(algorithm, self._aws.region, self._machines.endpoint, scope="inference")

    def _environment(self, config: EndpointConfig) -> Mapping[str, str]:
        return serving_environment(algorithm_of(self._objects, config.artifact_key), self._objects)


def _note(config: EndpointConfig) -> dict[str, str]:
    return {LABEL: config.model, KEY: config.artifact_key, SHA256: config.artifact_sha256}
