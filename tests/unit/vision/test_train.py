"""The training script keeps SageMaker's contract: channels, hyperparameters, log, exit status, model folder."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scones_core.domain.metrics import accuracy
from scones_core.errors import BadInput
from scones_core.vision.classifier import Classifier, pack
from scones_core.vision.hyperparameters import Hyperparameters
from tests.unit.vision.stripes import picture, task
from tests.waiting import LIMIT

NAMES = {"num_classes": "2", "classes": '["upright", "level"]'}
QUICK = NAMES | {"patch_sizes": "4", "words": "16", "grids": "2"}


def channel(root: Path, name: str, per_class: int, start: int) -> dict[str, str]:
    """Write a channel of images and its list; returns the variables that name them."""
    folder, lists = root / name, root / f"{name}_lst"
    lists.mkdir(parents=True)
    lines = []
    for i in range(2 * per_class):
        path = folder / "images" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(i % 2, start + i))
        lines.append(f"{i}\t{i % 2}\timages/{i}.png\n")
    (lists / f"{name}.lst").write_text("".join(lines))
    return {f"SM_CHANNEL_{name.upper()}": str(folder), f"SM_CHANNEL_{name.upper()}_LST": str(lists)}


@pytest.fixture
def job(tmp_path: Path) -> dict[str, str]:
    """Environment of a small job."""
    for name in ("model", "output"):
        (tmp_path / name).mkdir()
    folders = {"SM_MODEL_DIR": str(tmp_path / "model"), "SM_OUTPUT_DIR": str(tmp_path / "output")}
    train, validation = channel(tmp_path, "train", 12, 0), channel(tmp_path, "validation", 5, 500)
    return {**os.environ, **folders, **train, **validation, "SM_HPS": json.dumps(QUICK)}


def script(environment: dict[str, str], **options: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "scones_core.vision.train"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True, **options)


def failure(environment: dict[str, str]) -> str:
    """Run a job that must fail; returns its one line on stderr."""
    process = script(environment)
    _, stderr = process.communicate(timeout=LIMIT)
    assert process.returncode == 1
    assert os.listdir(environment["SM_MODEL_DIR"]) == []
    assert (Path(environment["SM_OUTPUT_DIR"]) / "failure").read_text() in stderr
    assert stderr.count("\n") == 1
    return stderr


def test_a_job_writes_a_model_that_works_and_logs_its_curve(job: dict[str, str]):
    process = script(job)
    stdout, stderr = process.communicate(timeout=LIMIT)
    assert (process.returncode, stderr) == (0, "")
    model = Classifier.load(pack(Path(job["SM_MODEL_DIR"])))
    images, labels = task(10, start=900)
    assert accuracy(labels, model.predict_proba(images)) >= 0.9
    metrics = re.findall(r"^#quality_metric: (\S+)=([-+.\de]+)$", stdout, re.MULTILINE)
    names = [name for name, _ in metrics]
    assert names.count("train:log_loss") >= 3
    assert names.count("validation:accuracy") >= 3
    assert max(float(value) for name, value in metrics if name == "train:features") == 24


def test_the_same_job_gives_the_same_artifact_on_any_number_of_threads(job: dict[str, str], tmp_path: Path):
    other = {**job, "SM_MODEL_DIR": str(tmp_path / "second"), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    processes = [script(job), script(other)]
    for process in processes:
        process.communicate(timeout=LIMIT)
    assert [process.returncode for process in processes] == [0, 0]
    assert pack(Path(job["SM_MODEL_DIR"])) == pack(Path(other["SM_MODEL_DIR"]))


def test_sigterm_ends_a_job_with_143_and_an_empty_model_folder(job: dict[str, str]):
    process = script({**job, "SM_HPS": json.dumps(NAMES)})
    assert process.stdout is not None
    process.stdout.readline()  # it has begun
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LIMIT)
    assert process.returncode == 143
    assert os.listdir(job["SM_MODEL_DIR"]) == []


def test_an_image_that_cannot_be_read_fails_the_job_by_name(job: dict[str, str]):
    (Path(job["SM_CHANNEL_TRAIN"]) / "images" / "3.png").write_bytes(b"damaged")
    assert "images/3.png" in failure(job)


def test_a_missing_image_fails_the_job_by_name(job: dict[str, str]):
    (Path(job["SM_CHANNEL_TRAIN"]) / "images" / "3.png").unlink()
    assert "images/3.png" in failure(job)


def test_an_unknown_hyperparameter_fails_the_job(job: dict[str, str]):
    assert "epochs" in failure({**job, "SM_HPS": json.dumps(QUICK | {"epochs": "3"})})


def test_a_channel_without_its_list_fails_the_job(job: dict[str, str]):
    (Path(job["SM_CHANNEL_TRAIN_LST"]) / "train.lst").unlink()
    assert "holds 0 .lst files" in failure(job)


@pytest.mark.parametrize(
    "line",
    [
        "0 0 images/0.png",
        "0\t0",
        "0\tzero\timages/0.png",
        "0\t-1\timages/0.png",
        "0\t0\t../secret",
        "0\t0\t/etc/passwd",
    ],
)
def test_a_wrong_line_of_the_list_is_named(job: dict[str, str], line: str):
    from scones_core.vision.channel import Channel

    path = Path(job["SM_CHANNEL_TRAIN_LST"])
    (path / "train.lst").write_text(f"0\t0\timages/0.png\n{line}\n")
    with pytest.raises(BadInput, match=r"train\.lst, line 2"):
        Channel(Path(job["SM_CHANNEL_TRAIN"]), path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("seed", "one"),
        ("seed", "-1"),
        ("classes", "bicycle"),
        ("classes", "[1, 2]"),
        ("image_shape", "3,32,24"),
        ("image_shape", "1,32,32"),
        ("patch_sizes", "4;6"),
        ("words", "64,64,64"),
        ("penalties", "high"),
        ("num_classes", "two"),
    ],
)
def test_an_unusable_hyperparameter_is_named(name: str, text: str):
    with pytest.raises(BadInput, match=name):
        Hyperparameters.parse({name: text})


def test_hyperparameters_that_speak_of_another_dataset_are_refused():
    with pytest.raises(BadInput, match="num_training_samples"):
        Hyperparameters.parse({"num_training_samples": "5"}).check([0, 1])
    with pytest.raises(BadInput, match="num_classes"):
        Hyperparameters.parse(NAMES | {"num_classes": "3"}).check([0, 1])


def test_hyperparameters_set_side_seed_and_scales():
    found = Hyperparameters.parse({"image_shape": "3,48,48", "seed": "7", "patch_sizes": "4,8", "words": "32"})
    assert (found.side, found.seed) == (48, 7)
    assert [(block.patch, block.words) for block in found.options.blocks] == [(4, 32), (8, 32)]
