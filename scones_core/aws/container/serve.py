"""What the container's model server calls: https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html"""

import json
from pathlib import Path
from typing import Any

from scones_core.errors import BadImage
from scones_core.vision.classifier import Classifier, pack

JSON_LINES = "application/jsonlines"


def model_fn(model_dir: str) -> Classifier:
    return Classifier.load(pack(Path(model_dir)))


def transform_fn(model: Classifier, body: bytes, content_type: str, accept: str) -> Any:
    """One image in, one probability per class out, as the built-in algorithm answers."""
    try:
        [row] = model.predict_proba([bytes(body)])
    except BadImage as error:
        return _refusal(str(error))
    probabilities = [float(p) for p in row]
    if accept == JSON_LINES:
        return json.dumps({"prediction": probabilities}), JSON_LINES
    return json.dumps(probabilities), "application/json"


def _refusal(reason: str) -> Any:
    """A 400, so that the caller knows that the image is at fault and not the model."""
    from sagemaker_containers.beta.framework import worker  # type: ignore[import-not-found]  # is in the container

    return worker.Response(response=reason, status=400, mimetype="text/plain")
