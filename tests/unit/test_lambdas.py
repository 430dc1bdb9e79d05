"""The functions of lambdas/, each loaded as it is deployed: a file of its own. S3 and the endpoint have stand-ins."""

import ast
import base64
import importlib.util
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CONTEXT = SimpleNamespace(aws_request_id="request-1")
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"lambda_{name}", ROOT / "lambdas" / name / "handler.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


serialize, classify, filter_, summarize = map(
    load, ["serialize_image_data", "image_classification", "filter_low_confidence", "summarize_batch"]
)


def event(name: str) -> Any:
    return json.loads((ROOT / "tests" / "events" / f"{name}.json").read_text())


class Objects:
    """S3 with the objects of one bucket."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        self.objects[Key] = Body


class Endpoint:
    """SageMaker's runtime; remembers how it was asked."""

    def __init__(self, answer: str = "[0.97, 0.03]") -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        return {"Body": io.BytesIO(self.answer.encode())}


@pytest.mark.parametrize("path", sorted((ROOT / "lambdas").glob("*/handler.py")), ids=lambda path: path.parent.name)
def test_a_function_needs_nothing_but_python_and_boto3(path: Path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported <= set(sys.stdlib_module_names) | {"boto3"}


# serialize_image_data


@pytest.mark.parametrize("name", ["step_input", "step_input_in_body"])
def test_the_image_is_put_into_the_payload(name: str):
    s3 = Objects(**{"test/bicycle_s_000513.png": PNG})
    assert serialize.handler(event(name), CONTEXT, s3=s3) == {
        "statusCode": 200,
        "body": {
            "image_data": base64.b64encode(PNG).decode(),
            "s3_bucket": "bucket",
            "s3_key": "test/bicycle_s_000513.png",
            "inferences": [],
        },
    }


def test_an_image_too_large_for_the_payload_stays_in_the_bucket():
    s3 = Objects(**{"test/bicycle_s_000513.png": b"x" * 200_000})
    body = serialize.handler(event("step_input"), CONTEXT, s3=s3)["body"]
    assert body["image_data"] == ""
    assert body["s3_key"] == "test/bicycle_s_000513.png"


@pytest.mark.parametrize("size", [190_000, 193_000, 193_500, 194_000, 196_608])
def test_the_payload_never_passes_the_quota_with_the_next_call_around_it(size: int):
    s3 = Objects(**{"test/bicycle_s_000513.png": b"x" * size})
    answer = serialize.handler(event("step_input"), CONTEXT, s3=s3)
    scheduled = {"FunctionName": "arn:aws:lambda:eu-central-1:123456789012:function:" + "f" * 140, "Payload": answer}
    assert len(json.dumps(scheduled)) <= 262_144


@pytest.mark.parametrize("given", [{}, {"s3_bucket": "bucket"}, {"s3_bucket": "b", "s3_key": ""}, {"body": []}, []])
def test_an_event_that_names_no_image_is_refused(given: Any):
    with pytest.raises(ValueError, match="name the image"):
        serialize.handler(given, CONTEXT, s3=Objects())


# image_classification


def test_the_endpoint_is_asked_with_the_image_and_its_key():
    endpoint = Endpoint()
    answer = classify.handler(
        event("serialized"), CONTEXT, s3=Objects(), runtime=endpoint, environ={"ENDPOINT_NAME": "e"}
    )
    assert answer == {"statusCode": 200, "body": event("serialized")["body"] | {"inferences": [0.97, 0.03]}}
    assert endpoint.asked == {
        "EndpointName": "e",
        "ContentType": "image/png",
        "Body": base64.b64decode(event("serialized")["body"]["image_data"]),
        "InferenceId": "request-1",
        "CustomAttributes": "s3_key=test/bicycle_s_000513.png",
    }


def test_an_image_that_stayed_in_the_bucket_is_read_and_its_key_becomes_ascii():
    given, endpoint = event("serialized_without_image"), Endpoint()
    s3 = Objects(**{given["body"]["s3_key"]: b"\xff\xd8\xff and more"})
    classify.handler(given, CONTEXT, s3=s3, runtime=endpoint, environ={"ENDPOINT_NAME": "e"})
    assert endpoint.asked["ContentType"] == "image/jpeg"
    assert endpoint.asked["CustomAttributes"] == "s3_key=test/gro%C3%9Fe%20R%C3%A4der.jpg"


def test_anything_but_png_and_jpeg_is_sent_as_an_image_of_no_named_type():
    assert classify.content_type(b"RIFF") == "application/x-image"


@pytest.mark.parametrize("answer", ["[]", '{"a": 1}', "[NaN, 1]", "[true]", '["0.9"]'])
def test_an_answer_that_is_no_list_of_probabilities_is_refused(answer: str):
    with pytest.raises(ValueError, match="list of probabilities"):
        classify.handler(
            event("serialized"), CONTEXT, s3=Objects(), runtime=Endpoint(answer), environ={"ENDPOINT_NAME": "e"}
        )


def test_a_missing_endpoint_name_is_said():
    with pytest.raises(ValueError, match="ENDPOINT_NAME is not set"):
        classify.handler(event("serialized"), CONTEXT, s3=Objects(), runtime=Endpoint(), environ={})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"image_data": "not base64!"}, "not base64"),
        ({"image_data": ""}, "must name the image"),
        ({"s3_bucket": "b"}, "must name the image"),
        ([], "not a JSON object"),
        ({"image_data": "aaaa", "s3_key": "k" * 1_020}, "too long"),
    ],
)
def test_a_malformed_request_is_refused(body: Any, message: str):
    with pytest.raises(ValueError, match=message):
        classify.handler(
            {"body": body}, CONTEXT, s3=Objects(), runtime=Endpoint(), environ={"ENDPOINT_NAME": "endpoint"}
        )


# filter_low_confidence


@pytest.mark.parametrize("name", ["classified", "classified_as_text"])
def test_a_confident_inference_passes(name: str):
    answer = filter_.handler(event(name), CONTEXT, environ={})
    assert answer["statusCode"] == 200
    assert answer["body"]["inferences"] == [0.97, 0.03]


def test_a_low_confidence_inference_fails_loudly_and_says_why():
    with pytest.raises(filter_.THRESHOLD_CONFIDENCE_NOT_MET, match=r"0\.61 does not exceed the threshold 0\.93"):
        filter_.handler(event("classified_low_confidence"), CONTEXT, environ={})


def test_a_confidence_at_the_threshold_does_not_exceed_it():
    with pytest.raises(filter_.THRESHOLD_CONFIDENCE_NOT_MET):
        filter_.handler(event("classified"), CONTEXT, environ={"THRESHOLD": "0.97"})


@pytest.mark.parametrize("threshold", ["high", "1.1", "-0.1", "nan"])
def test_a_threshold_that_is_none_is_said(threshold: str):
    with pytest.raises(ValueError, match="between 0 and 1"):
        filter_.handler(event("classified"), CONTEXT, environ={"THRESHOLD": threshold})


@pytest.mark.parametrize("inferences", [None, [], {}, [float("nan"), 1], [True], ["a"]])
def test_inferences_that_are_none_are_refused(inferences: Any):
    with pytest.raises(ValueError, match="inferences"):
        filter_.handler({"body": {"inferences": inferences}}, CONTEXT, environ={})


# summarize_batch


def result(status: str, key: str, **output: Any) -> str:
    """One line of a file of the ResultWriter."""
    given = {"Input": json.dumps({"image_data": "", "s3_bucket": "bucket", "s3_key": key}), "Status": status}
    if status == "SUCCEEDED":
        return json.dumps(given | {"Output": json.dumps({"s3_key": key, "inferences": [0.5, 0.5]} | output)}) + "\n"
    return json.dumps(given | {"Error": "NoSuchKey", "Cause": "{}"}) + "\n"


def written(succeeded: str, failed: str = "") -> Objects:
    files = {
        "SUCCEEDED": [{"Key": "SUCCEEDED_0.jsonl", "Size": len(succeeded)}],
        "FAILED": [{"Key": "FAILED_0.jsonl", "Size": len(failed)}] if failed else [],
        "PENDING": [],
    }
    return Objects(
        **{
            "batch-results/7a1c/manifest.json": json.dumps({"ResultFiles": files}).encode(),
            "SUCCEEDED_0.jsonl": succeeded.encode(),
            "FAILED_0.jsonl": failed.encode(),
        }
    )


def test_the_summary_counts_every_image_and_names_those_to_look_at():
    lines = [result("SUCCEEDED", "a.png", outcome="accepted"), result("SUCCEEDED", "ä.png", outcome="low_confidence")]
    s3 = written("".join(lines), result("FAILED", "c.png"))
    assert summarize.handler(event("map_result"), CONTEXT, s3=s3) == {
        "images": 3,
        "accepted": 1,
        "low_confidence": 1,
        "errors": 1,
        "low_confidence_keys": ["ä.png"],
        "error_keys": ["c.png"],
        "summary": {"s3_bucket": "bucket", "s3_key": "batch-results/7a1c/summary.json"},
    }
    assert json.loads(s3.objects["batch-results/7a1c/summary.json"]) == {
        "accepted": 1,
        "low_confidence": [{"s3_key": "ä.png", "inferences": [0.5, 0.5]}],
        "errors": [{"s3_key": "c.png", "error": "NoSuchKey", "cause": "{}"}],
    }


def test_the_answer_fits_into_a_states_output_however_many_images_there_are():
    low = "".join(result("SUCCEEDED", f"{n:04}" + "é" * 510, outcome="low_confidence") for n in range(200))
    failed = "".join(result("FAILED", f"{n:04}" + "é" * 510) for n in range(200))
    answer = summarize.handler(event("map_result"), CONTEXT, s3=written(low, failed))
    assert (answer["low_confidence"], answer["errors"]) == (200, 200)
    assert len(json.dumps(answer)) <= 262_144


@pytest.mark.parametrize("given", [{}, [], {"ResultWriterDetails": {"Bucket": "b"}}])
def test_an_event_without_a_manifest_is_refused(given: Any):
    with pytest.raises(ValueError, match="ResultWriterDetails"):
        summarize.handler(given, CONTEXT, s3=Objects())
