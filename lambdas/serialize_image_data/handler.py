"""First state: fetch the image from S3 and put it, base64-encoded, into the state's payload.

In:  {"image_data": "", "s3_bucket": "…", "s3_key": "…"}, bare or under "body"
Out: {"statusCode": 200, "body": {"image_data": "<base64>", "s3_bucket": "…", "s3_key": "…", "inferences": []}}
"""

import base64
import json
from typing import Any

# Step Functions refuses a larger payload: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MAX_PAYLOAD_BYTES = 262_144
# The image travels inside the next task's parameters, next to a function ARN (at most 256 characters) and
# the metadata of the response; this margin keeps each of these documents within the limit.
ENVELOPE_BYTES = 4_096


def handler(event: Any, context: Any, *, s3: Any = None) -> dict[str, Any]:
    bucket, key = location(event)
    image = (s3 or s3_client()).get_object(Bucket=bucket, Key=key)["Body"].read()
    return {"statusCode": 200, "body": body(bucket, key, base64.b64encode(image).decode("ascii"))}


def location(event: Any) -> tuple[str, str]:
    """Return (bucket, key) of the image. Raises ValueError if the event names none."""
    given = event.get("body", event) if isinstance(event, dict) else event
    given = json.loads(given) if isinstance(given, str) else given
    for field in ("s3_bucket", "s3_key"):
        if not isinstance(given, dict) or not isinstance(given.get(field), str) or not given[field]:
            raise ValueError(f"The event has no {field!r}: name the image as s3_bucket and s3_key.")
    return given["s3_bucket"], given["s3_key"]


def body(bucket: str, key: str, image_data: str) -> dict[str, Any]:
    """Return the body, without the image if that is too large (the next function then reads it)."""
    full = {"image_data": image_data, "s3_bucket": bucket, "s3_key": key, "inferences": []}
    fits = len(json.dumps(full)) + ENVELOPE_BYTES <= MAX_PAYLOAD_BYTES
    return full if fits else full | {"image_data": ""}


def s3_client() -> Any:
    import boto3  # here, not at the top: the embedded backend passes its own client and does not need boto3

    return boto3.client("s3")
