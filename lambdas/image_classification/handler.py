"""Second state: invoke the endpoint for the probabilities of the image.

In:  {"statusCode": 200, "body": {"image_data": "<base64 or empty>", "s3_bucket": "…", "s3_key": "…", "inferences": []}}
Out: the same, with "inferences": [p0, p1]

Environment: ENDPOINT_NAME.
"""

import base64
import binascii
import json
import math
import os
import urllib.parse
from collections.abc import Mapping
from typing import Any, Literal

MAX_CUSTOM_ATTRIBUTES = (
    1024  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
)


def handler(
    event: Any, context: Any, *, s3: Any = None, runtime: Any = None, environ: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    body = request(event)
    image = decoded(body["image_data"]) if body.get("image_data") else fetched(body, s3 or client("s3"))
    response = (runtime or client("sagemaker-runtime")).invoke_endpoint(
        EndpointName=endpoint_name(environ),
        ContentType=content_type(image),
        Body=image,
        InferenceId=context.aws_request_id,
        CustomAttributes=custom_attributes(body.get("s3_key", "")),
    )
    return {"statusCode": 200, "body": body | {"inferences": probabilities(response["Body"].read())}}


def request(event: Any) -> dict[str, Any]:
    """Return the event's body. Raises ValueError if it names no image."""
    given = event.get("body", event) if isinstance(event, dict) else event
    given = json.loads(given) if isinstance(given, str) else given
    if not isinstance(given, dict):
        raise ValueError("The event's body is not a JSON object.")
    if not given.get("image_data") and not (given.get("s3_bucket") and given.get("s3_key")):
        raise ValueError(
            "The event has neither 'image_data' nor 's3_bucket' and 's3_key': one of them must name the image."
        )
    return given


def decoded(image_data: Any) -> bytes:
    try:
        return base64.b64decode(image_data, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError("The event's 'image_data' is not base64 text.") from error


def fetched(body: Mapping[str, Any], s3: Any) -> Any:
    return s3.get_object(Bucket=body["s3_bucket"], Key=body["s3_key"])["Body"].read()


def endpoint_name(environ: Mapping[str, str]) -> str:
    if not environ.get("ENDPOINT_NAME"):
        raise ValueError(
            "The environment variable ENDPOINT_NAME is not set: deploy a model, then set it to the endpoint's name."
        )
    return environ["ENDPOINT_NAME"]


def content_type(image: bytes) -> str:
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/jpeg" if image.startswith(b"\xff\xd8\xff") else "application/x-image"


def custom_attributes(key: str) -> str:
    """Return `s3_key=<key>` in visible ASCII, at most 1,024 characters: data capture keeps it."""
    text = "s3_key=" + urllib.parse.quote(key, safe="/")
    if len(text) > MAX_CUSTOM_ATTRIBUTES:
        raise ValueError("The event's 's3_key' is too long to be recorded with the inference: choose a shorter key.")
    return text


def probabilities(answer: Any) -> list[float]:
    """Return the endpoint's answer as floats. Raises ValueError when it is not a JSON list of finite numbers."""
    values = json.loads(answer)
    if not isinstance(values, list) or not values or not all(is_probability(value) for value in values):
        raise ValueError(f"The endpoint did not answer with a list of probabilities but with {answer[:200]!r}.")
    return [float(value) for value in values]


def is_probability(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def client(service: Literal["s3", "sagemaker-runtime"]) -> Any:
    import boto3  # here, not at the top: the embedded backend passes its own clients and does not need boto3

    return boto3.client(service)
