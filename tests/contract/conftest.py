"""Every port's suite runs once on each backend.

embedded       in a folder
aws-stand-in   on loopback: see stand_in/
aws            a real account, only with SCONES_TEST_AWS=1; it costs money, and needs the stack of infra/template.yaml
"""

import functools
import hashlib
import io
import os
import socket
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import numpy as np
import pytest
from PIL import Image

from scones_core.aws.endpoint import CAPTURE_PREFIX
from scones_core.aws.functions import names
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.session import Aws
from scones_core.bootstrap import build_backend
from scones_core.ports import Backend, EndpointConfig, JobStatus, TrainingJob, TrainingRequest
from scones_core.settings import BackendName, Settings
from tests.contract.stand_in import roles
from tests.contract.stand_in.server import STACK, running

REAL = os.environ.get("SCONES_TEST_AWS") == "1"
BACKENDS = ["embedded", "aws-stand-in", *(["aws"] if REAL else [])]
CLASSES = '["bicycle", "motorcycle"]'


class NoNetwork(OSError):
    """A test tried to leave this machine."""


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """Nothing may connect to another machine, unless a real account is asked for."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise NoNetwork(f"{address[0]} is not on this machine")
        connect(self, address)

    if REAL:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_loader() -> Iterator[None]:
    """All sessions of boto3 read the descriptions of AWS's services once; each would take a tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield


@pytest.fixture(scope="session")
def aws_stand_in() -> Iterator[dict[str, str]]:
    """AWS on loopback with the stack deployed; the environment leads to it."""
    with running() as environment:
        yield dict(environment)


@pytest.fixture(scope="session")
def aws(aws_stand_in: dict[str, str]) -> Aws:
    return Aws(STACK)


@pytest.fixture(scope="session")
def objects(aws: Aws) -> S3ObjectStore:
    return S3ObjectStore(aws)


@pytest.fixture
def fresh_stand_in(aws_stand_in: dict[str, str]) -> Iterator[dict[str, str]]:
    """The stand-in with nothing captured; the functions get back afterwards what they had."""
    aws = Aws(STACK)
    captures = S3ObjectStore(aws)
    for info in list(captures.list(CAPTURE_PREFIX)):
        captures.delete(info.key)
    lambda_ = roles.administrator("lambda")
    before = {name: lambda_.get_function_configuration(FunctionName=name) for name in names(aws)}
    yield aws_stand_in
    for name, function in before.items():
        lambda_.update_function_configuration(
            FunctionName=name, Environment=function.get("Environment", {"Variables": {}})
        )


def aws_settings(home: Path, **more: Any) -> Settings:
    fast = {"poll_seconds": 0.05, "algorithm": "embedded", "stack": STACK}
    return Settings(home=home, backend=BackendName.AWS, **{**fast, **more})


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    home = tmp_path_factory.mktemp(request.param)
    if request.param == "embedded":
        settings = Settings(home=home, backend=BackendName.EMBEDDED)
    elif request.param == "aws-stand-in":
        request.getfixturevalue("aws_stand_in")
        settings = aws_settings(home)
    else:
        settings = Settings(home=home, backend=BackendName.AWS)
    opened = build_backend(settings, home)
    yield opened
    opened.close()


@pytest.fixture
def prefix() -> str:
    """A key prefix that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}/"


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def png(seed: int, *, bright: bool) -> bytes:
    """A noisy picture: bright with a dark bar, or dark with a bright one."""
    random = np.random.default_rng(seed)
    pixels = random.normal(190 if bright else 60, 30, (32, 32, 3))
    column = random.integers(4, 24)
    pixels[:, column : column + 4] = 30 if bright else 220
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(buffer, "PNG")
    return buffer.getvalue()


def load_images(backend: Backend) -> list[str]:
    """A few images of two classes with their `.lst` files; gives the keys of the test images, in order."""
    for split, count in (("train", 8), ("test", 4)):
        items, rows = [], []
        for number in range(2 * count):
            bicycle = number < count
            name = f"{'bicycle' if bicycle else 'motorcycle'}_{number:03}.png"
            items.append((f"{split}/{name}", png(number + 1000 * (split == "test"), bright=bicycle)))
            rows.append(f"{number}\t{int(not bicycle)}\t{name}\n")
        backend.objects.put_many(items)
        backend.objects.put(f"datasets/contract/{split}.lst", "".join(rows).encode())
    return [info.key for info in backend.objects.list("test/")]


@pytest.fixture(scope="session")
def image_keys(backend: Backend) -> list[str]:
    return load_images(backend)


def training_request(name: str = "", **hyperparameters: str) -> TrainingRequest:
    channels = {
        "train": "train/",
        "validation": "test/",
        "train_lst": "datasets/contract/train.lst",
        "validation_lst": "datasets/contract/test.lst",
    }
    given = {
        "num_classes": "2",
        "num_training_samples": "16",
        "classes": CLASSES,
        "image_shape": "3,32,32",
        "seed": "0",
    }
    return TrainingRequest(name or f"job-{uuid.uuid4().hex[:10]}", channels, {**given, **hyperparameters})


def ended(backend: Backend, name: str) -> TrainingJob:
    until(lambda: backend.training.describe(name).status.ended, 3600 if REAL else 120)
    return backend.training.describe(name)


@pytest.fixture(scope="session")
def trained(backend: Backend, image_keys: list[str]) -> TrainingJob:
    """A completed training job."""
    job = ended(backend, backend.training.start(training_request()).name)
    assert job.status is JobStatus.COMPLETED, (job.failure_reason, backend.training.logs(job.name))
    return job


@pytest.fixture(scope="session")
def config(backend: Backend, trained: TrainingJob) -> EndpointConfig:
    """What an endpoint needs to serve the trained model."""
    assert trained.artifact_key
    sha256 = hashlib.sha256(backend.objects.get(trained.artifact_key)).hexdigest()
    return EndpointConfig("v1", trained.artifact_key, sha256)


@pytest.fixture(scope="session")
def endpoint(backend: Backend, config: EndpointConfig) -> Iterator[str]:
    """An endpoint in service, which captures everything; the functions ask it."""
    name = "scones-unlimited"
    backend.endpoints.deploy(name, config)
    backend.workflows.configure({"ENDPOINT_NAME": name, "THRESHOLD": "0.0"})
    yield name
    backend.endpoints.delete(name)


# The table of what passed where

_passed: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    path, _, rest = report.nodeid.partition("::")
    case, _, parameters = rest.partition("[")
    on = next((name for name in sorted(BACKENDS, key=len, reverse=True) if parameters.startswith(name)), None)
    if not path.startswith("tests/contract/") or on is None or (report.when != "call" and report.passed):
        return
    cases = _passed[Path(path).stem.removeprefix("test_")][case.removeprefix("test_").replace("_", " ")]
    if cases.get(on) != "FAILED":
        cases[on] = {"passed": "passed", "failed": "FAILED"}.get(report.outcome, report.outcome)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _passed:
        return
    terminalreporter.section("ports × cases × backends")
    width = max(len(case) for cases in _passed.values() for case in cases) + 2
    for port, cases in sorted(_passed.items()):
        terminalreporter.write_line(f"{port.replace('_', ' '):<{width}}" + "".join(f"{name:<14}" for name in BACKENDS))
        for case, results in cases.items():
            line = "".join(f"{results.get(name, '–'):<14}" for name in BACKENDS)
            terminalreporter.write_line(f"  {case:<{width - 2}}{line}")
