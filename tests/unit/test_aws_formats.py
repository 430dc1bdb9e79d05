"""What the AWS adapters read and write, without AWS."""

import io
import re
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scones_core.aws.algorithms import KNOWN, SKLEARN, Algorithm, Hardware, hyperparameters, image_uri
from scones_core.aws.notifier import _shortened
from scones_core.aws.session import resource_name
from scones_core.aws.source import packed
from scones_core.aws.training_log import metrics
from scones_core.aws.transform import matched, parsed
from scones_core.aws.ttl_cache import TtlCache
from scones_core.errors import BadInput, Damaged

ROOT = Path(__file__).resolve().parents[2]
STARTED = datetime(2025, 10, 4, 8, 0, tzinfo=UTC)


def test_metrics_are_read_from_what_the_script_writes():
    lines = [
        "2025-10-04T08:00:05.000+00:00 fitting",
        "2025-10-04T08:00:10.500+00:00 #quality_metric: train:accuracy=0.9",
    ]
    assert metrics(lines, STARTED) == [(10.5, "train:accuracy", 0.9)]


def test_metrics_are_read_from_what_the_built_in_algorithm_writes():
    """As in its log, with the algorithm's own time and level in front."""
    said = "[10/04/2025 08:01:00 INFO 140012345] Epoch[3] "
    lines = [
        f"2025-10-04T08:01:00.000+00:00 {said}Train-accuracy=0.71",
        f"2025-10-04T08:01:00.000+00:00 {said}Time cost=1.2",
        f"2025-10-04T08:01:01.000+00:00 {said}Validation-accuracy=0.65",
    ]
    assert metrics(lines, STARTED) == [(60.0, "train:accuracy", 0.71), (61.0, "validation:accuracy", 0.65)]


def test_an_answer_belongs_to_the_image_whose_key_its_path_ends_with():
    outputs = {"out/1": "/test/a.png.out", "out/2": "b.png.out", "out/3": "other/c.png.out"}
    found = matched(["test/a.png", "deep/test/b.png", "deep/other/c.png"], outputs)
    assert found == {"test/a.png": "out/1", "deep/test/b.png": "out/2", "deep/other/c.png": "out/3"}


@pytest.mark.parametrize("outputs", [{}, {"out/1": "a.png.out"}], ids=["none", "ambiguous"])
def test_an_image_without_an_answer_of_its_own_is_an_error(outputs: dict[str, str]):
    with pytest.raises(Damaged, match="no output for"):
        matched(["one/a.png", "two/a.png"], outputs)


@pytest.mark.parametrize("answer", [b"[0.25, 0.75]", b'{"prediction": [0.25, 0.75]}\n'])
def test_both_algorithms_answers_are_understood(answer: bytes):
    assert parsed(answer) == [0.25, 0.75]


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"score": 1}', b"3", b'["a"]'])
def test_any_other_answer_is_damaged(answer: bytes):
    with pytest.raises(Damaged, match="list of probabilities"):
        parsed(answer)


def test_the_built_in_algorithm_is_given_only_what_it_knows():
    given = {"num_classes": "2", "num_training_samples": "10", "classes": "[]", "seed": "0", "epochs": "3"}
    found = hyperparameters(Algorithm.BUILT_IN, given, objects=None)  # type: ignore[arg-type]
    assert set(found) <= KNOWN
    assert (found["epochs"], found["mini_batch_size"], found["num_classes"]) == ("3", "10", "2")


@pytest.mark.parametrize(
    ("shape", "resize"), [("3,32,32", "33"), ("3,32,48", "49"), ("3, 224, 224", "225")], ids=["32", "oblong", "224"]
)
def test_images_of_any_size_are_scaled_to_the_shape_for_training(shape: str, resize: str):
    """Larger ones are not cropped to a piece, and smaller ones do not end the job."""
    given = {"num_classes": "2", "num_training_samples": "10", "image_shape": shape}
    assert hyperparameters(Algorithm.BUILT_IN, given, objects=None)["resize"] == resize  # type: ignore[arg-type]


def test_resize_may_be_chosen():
    given = {"num_classes": "2", "num_training_samples": "10", "image_shape": "3,32,32", "resize": "40"}
    assert hyperparameters(Algorithm.BUILT_IN, given, objects=None)["resize"] == "40"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"image_shape": "3,32,32", "resize": "32"}, "set at least 33"),
        ({"image_shape": "3,32,32", "resize": "large"}, "not usable"),
        ({"image_shape": "3"}, "not usable"),
    ],
)
def test_sizes_with_which_training_would_fail_are_refused(given: dict[str, str], message: str):
    with pytest.raises(BadInput, match=message):
        hyperparameters(Algorithm.BUILT_IN, given, objects=None)  # type: ignore[arg-type]


def test_the_containers_are_those_of_the_region():
    built_in = image_uri(Algorithm.BUILT_IN, "us-east-1", "ml.g4dn.xlarge", scope="training")
    assert built_in == "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
    for scope in ("training", "inference"):
        own = image_uri(Algorithm.EMBEDDED, "eu-central-1", "ml.m5.large", scope=scope)
        assert re.fullmatch(rf"\d+\.dkr\.ecr\.eu-central-1\.amazonaws\.com/sagemaker-scikit-learn:{SKLEARN}.*", own)


def test_an_unknown_algorithm_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match="image-classification or embedded"):
        Algorithm.named("xgboost")


def test_the_built_in_algorithm_trains_on_a_gpu_and_ours_on_a_processor():
    assert Hardware().training_instance == "ml.g4dn.xlarge"
    assert Hardware(Algorithm.EMBEDDED).training_instance == "ml.m5.large"
    assert Hardware(training="ml.g5.xlarge").training_instance == "ml.g5.xlarge"


def test_the_source_archive_is_the_same_every_time_and_holds_no_more_than_it_needs():
    first = packed()
    assert packed() == first
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        names = archive.getnames()
        requirements = archive.extractfile("requirements.txt").read().decode()
    assert {"train.py", "serve.py", "requirements.txt", "scones_core/vision/train.py"} <= set(names)
    assert not [name for name in names if re.search(r"/(aws|local|ui|db|services|__pycache__)/", name)]
    assert {"scikit-learn", "Pillow", "numpy"} <= set(re.findall(r"^([\w-]+)", requirements, re.MULTILINE))


@pytest.mark.parametrize("label", ["v1", "train-20251004-084411-abcdef" * 3, "ü/…"])
def test_a_name_made_from_contents_is_one_that_sagemaker_takes(label: str):
    name = resource_name("scones-unlimited", label, "0123456789abcdef0123")
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,58}", name)  # with room for a number


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ann.smith@example.com", "a…@example.com"),
        ("https://example.com/hook?token=secret", "https://example.com/…"),
        ("arn:aws:lambda:us-east-1:1:function:tell", "tell"),
    ],
)
def test_who_is_notified_is_shown_without_what_could_be_secret(address: str, shown: str):
    assert _shortened(address) == shown


def test_what_cannot_change_is_asked_for_once():
    asked: list[int] = []
    recently: TtlCache[str] = TtlCache(0, lambda value: value == "ended")
    answers = iter(["running", "running", "ended", "never asked"])

    def ask() -> str:
        asked.append(1)
        return next(answers)

    assert [recently.get("job", ask) for _ in range(5)] == ["running", "running", "ended", "ended", "ended"]
    assert len(asked) == 3


def test_what_can_change_is_known_for_a_moment():
    recently: TtlCache[int] = TtlCache(3600, lambda _: False)
    assert recently.get("job", lambda: 1) == 1
    assert recently.get("job", lambda: 2) == 1
    recently.forget("job")
    assert recently.get("job", lambda: 3) == 3


def test_the_sagemaker_sdk_is_not_imported_until_a_container_is_asked_for():
    """It costs 2 s and 190 MB."""
    modules = sorted((ROOT / "scones_core" / "aws").glob("*.py"))
    names = [f"scones_core.aws.{path.stem}" for path in modules if path.stem != "__init__"]
    code = (
        f"import sys, {', '.join(names)}; print([m for m in ('sagemaker', 'streamlit', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
