"""Last state of a batch: summarize the results that the distributed Map wrote to the bucket.

In:  {"MapRunArn": "…", "ResultWriterDetails": {"Bucket": "…", "Key": "…/manifest.json"}}
Out: {"images": 3, "accepted": 1, "low_confidence": 1, "errors": 1, "low_confidence_keys": ["…"], "error_keys": ["…"],
      "summary": {"s3_bucket": "…", "s3_key": "…/summary.json"}}

A state's output is limited to 262,144 bytes, which a few hundred results exceed. So the Map writes them to objects,
and this function returns only counts and the first keys; summary.json has all keys.
"""

import codecs
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MAX_KEYS = 40  # in the answer, of each kind: even with the longest keys, of 1,024 bytes, escaped as JSON, it then fits


def handler(event: Any, context: Any, *, s3: Any = None) -> dict[str, Any]:
    s3 = s3 or s3_client()
    bucket, manifest_key = location(event)
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=manifest_key)["Body"].read())
    summary = summed_up(results(s3, bucket, manifest))
    key = manifest_key.rpartition("/")[0] + "/summary.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(summary).encode(), ContentType="application/json")
    return answer(summary) | {"summary": {"s3_bucket": bucket, "s3_key": key}}


def location(event: Any) -> tuple[str, str]:
    """Return (bucket, key) of the manifest. Raises ValueError if the event names none."""
    details = event.get("ResultWriterDetails") if isinstance(event, dict) else None
    if not isinstance(details, dict) or not details.get("Bucket") or not details.get("Key"):
        raise ValueError("The event has no 'ResultWriterDetails' with 'Bucket' and 'Key': pass the Map state's result.")
    return details["Bucket"], details["Key"]


def results(s3: Any, bucket: str, manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the result of every child execution, one line at a time: a file can exceed the memory."""
    files = manifest["ResultFiles"]
    for file in files.get("SUCCEEDED", []) + files.get("FAILED", []):
        stream = s3.get_object(Bucket=bucket, Key=file["Key"])["Body"]
        yield from (json.loads(line) for line in codecs.getreader("utf-8")(stream) if line.strip())


def summed_up(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how many images were accepted, and which were low-confidence or failed."""
    summary: dict[str, Any] = {"accepted": 0, "low_confidence": [], "errors": []}
    for result in results:
        if result["Status"] != "SUCCEEDED":
            key = json.loads(result["Input"])["s3_key"]
            summary["errors"].append({"s3_key": key, "error": result.get("Error"), "cause": result.get("Cause")})
            continue
        output = json.loads(result["Output"])
        if output["outcome"] == "accepted":
            summary["accepted"] += 1
        else:
            summary["low_confidence"].append({"s3_key": output["s3_key"], "inferences": output["inferences"]})
    return summary


def answer(summary: Mapping[str, Any]) -> dict[str, Any]:
    accepted, low_confidence, errors = summary["accepted"], summary["low_confidence"], summary["errors"]
    return {
        "images": accepted + len(low_confidence) + len(errors),
        "accepted": accepted,
        "low_confidence": len(low_confidence),
        "errors": len(errors),
        "low_confidence_keys": [image["s3_key"] for image in low_confidence[:MAX_KEYS]],
        "error_keys": [image["s3_key"] for image in errors[:MAX_KEYS]],
    }


def s3_client() -> Any:
    import boto3  # here, not at the top: the embedded backend passes its own client and does not need boto3

    return boto3.client("s3")
