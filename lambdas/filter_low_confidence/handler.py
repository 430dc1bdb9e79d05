"""Third state: pass a confident inference, fail loudly otherwise.

In and out: {"statusCode": 200, "body": {"image_data": …, "s3_bucket": …, "s3_key": …, "inferences": [p0, p1]}}

Environment: THRESHOLD, the confidence an inference must exceed (default 0.93).
"""

import json
import math
import os
from collections.abc import Mapping
from typing import Any

DEFAULT_THRESHOLD = 0.93  # of the reference project


class THRESHOLD_CONFIDENCE_NOT_MET(Exception):  # noqa: N801 - the error name Step Functions sees
    """The inference is low-confidence: its confidence does not exceed the threshold."""


def handler(event: Any, context: Any, *, environ: Mapping[str, str] = os.environ) -> Any:
    body = inference(event)
    confidence, threshold = max(body["inferences"]), threshold_of(environ)
    if confidence <= threshold:
        raise THRESHOLD_CONFIDENCE_NOT_MET(f"The confidence {confidence} does not exceed the threshold {threshold}.")
    return {"statusCode": 200, "body": body}


def inference(event: Any) -> Any:
    """Return the event's body. Raises ValueError if it has no finite inferences."""
    given = event.get("body", event) if isinstance(event, dict) else event
    given = json.loads(given) if isinstance(given, str) else given
    values = given.get("inferences") if isinstance(given, dict) else None
    if isinstance(values, str):  # the reference project passes the endpoint's answer as text
        values = json.loads(values)
    if not isinstance(values, list) or not values:
        raise ValueError("The event has no 'inferences': it must carry a list with one probability per class.")
    if not all(is_finite_number(value) for value in values):
        raise ValueError(f"The event's 'inferences' are not finite numbers: {values!r}.")
    return given | {"inferences": values}


def is_finite_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def threshold_of(environ: Mapping[str, str]) -> float:
    """Return the threshold in [0, 1]. Raises ValueError if THRESHOLD is invalid."""
    text = environ.get("THRESHOLD") or DEFAULT_THRESHOLD
    try:
        threshold = float(text)
    except ValueError:
        threshold = math.nan
    if not 0 <= threshold <= 1:
        raise ValueError(f"The environment variable THRESHOLD is {text!r}: set it to a number between 0 and 1.")
    return threshold
