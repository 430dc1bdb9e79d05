"""The two algorithms that train and serve on SageMaker.

Sources: "Image Classification – MXNet" and "Image Classification Hyperparameters" in the SageMaker developer guide;
"Using Scikit-learn with the SageMaker Python SDK" for script mode.
"""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.source import uploaded
from scones_core.errors import BadInput

SKLEARN = "1.9-0"  # of the scikit-learn container; its minor version is that of requirements.txt
# Hyperparameters that the built-in algorithm knows; it refuses any other.
# fmt: off
KNOWN = frozenset((
    "augmentation_type", "beta_1", "beta_2", "checkpoint_frequency", "early_stopping", "early_stopping_min_epochs",
    "early_stopping_patience", "early_stopping_tolerance", "epochs", "eps", "gamma", "image_shape", "kv_store",
    "learning_rate", "lr_scheduler_factor", "lr_scheduler_step", "mini_batch_size", "momentum", "multi_label",
    "num_classes", "num_layers", "num_training_samples", "optimizer", "precision_dtype", "resize", "top_k",
    "use_pretrained_model", "use_weighted_loss", "weight_decay",
))
# fmt: on


class Algorithm(StrEnum):
    """`image-classification` is SageMaker's own; `embedded` is the classifier of the embedded backend."""

    BUILT_IN = "image-classification"
    EMBEDDED = "embedded"

    @classmethod
    def named(cls, name: str) -> "Algorithm":
        """Raises BadInput."""
        try:
            return cls(name)
        except ValueError:
            raise BadInput(f"No algorithm “{name}”: set SCONES_ALGORITHM to {' or '.join(cls)}.") from None


@dataclass(frozen=True)
class Hardware:
    """Instances for training and serving. spot : train on spare capacity, which is cheaper and can be interrupted.

    training : instance type; None: the algorithm's default. most_instances : above 1, the endpoint scales.
    """

    algorithm: Algorithm = Algorithm.BUILT_IN
    training: str | None = None
    endpoint: str = "ml.m5.large"
    spot: bool = False
    most_instances: int = 1

    @property
    def training_instance(self) -> str:
        return self.training or ("ml.g4dn.xlarge" if self.algorithm is Algorithm.BUILT_IN else "ml.m5.large")


@cache
def image_uri(algorithm: Algorithm, region: str, instance: str, *, scope: str) -> str:
    """The container's image. scope : `training` or `inference`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own source code
        from sagemaker.core import image_uris  # takes 2 s and 190 MB

    if algorithm is Algorithm.BUILT_IN:
        return str(image_uris.retrieve("image-classification", region))
    return str(image_uris.retrieve("sklearn", region, version=SKLEARN, image_scope=scope, instance_type=instance))


def hyperparameters(algorithm: Algorithm, given: Mapping[str, str], objects: S3ObjectStore) -> dict[str, str]:
    """Hyperparameters for the container: those the built-in algorithm supports; in script mode all, as JSON."""
    if algorithm is Algorithm.BUILT_IN:
        samples = int(given.get("num_training_samples", "32"))
        # For images of about 28 × 28 pixels the documentation suggests 20 to 110 layers instead of its default of 152.
        defaults = {"num_layers": "20", "epochs": "30", "mini_batch_size": str(max(1, min(32, samples)))}
        known = {name: value for name, value in given.items() if name in KNOWN}
        return {**defaults, **known, "resize": _resize(known)}
    script = {"sagemaker_program": "train.py", "sagemaker_submit_directory": uploaded(objects)}
    return {name: json.dumps(value) for name, value in {**given, **script}.items()}


def _resize(given: Mapping[str, str]) -> str:
    """Length in pixels to which the algorithm scales the shorter side of each training image, before it crops.

    It must be larger than both sides of image_shape: of larger images the algorithm would otherwise see a piece, and
    smaller ones would end the job. One pixel more loses the least. For inference it scales to image_shape itself.

    Raises BadInput.  Source: "Image Classification Hyperparameters" in the SageMaker developer guide.
    """
    shape = given.get("image_shape", "3,224,224")
    try:
        _channels, *sides = (int(number) for number in shape.split(","))
        wanted = int(given.get("resize", max(sides) + 1))
    except ValueError:
        raise BadInput(
            f"image_shape “{shape}” or resize “{given.get('resize', '')}” is not usable: set them as 3,32,32 and 33."
        ) from None
    if wanted <= max(sides):
        raise BadInput(f"resize must be larger than the sides of image_shape ({shape}): set at least {max(sides) + 1}.")
    return str(wanted)


def serving_environment(algorithm: Algorithm, objects: S3ObjectStore) -> dict[str, str]:
    """Environment variables of the model's container."""
    if algorithm is Algorithm.BUILT_IN:
        return {}
    return {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": uploaded(objects)}
