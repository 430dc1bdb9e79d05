"""Fixtures that more than one suite uses."""

import io
import logging
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from PIL import Image
from pydantic import SecretStr

from scones_core import logs
from scones_core.bootstrap import open_app
from scones_core.file_lock import FileLock
from scones_core.services import App, deployment, etl, registration, training
from scones_core.settings import Settings
from tests.postgres import cluster
from tests.unit.captured_world import capture_some, copied

pytest_plugins = ["tests.scratch"]

# Every run tries the same examples; `pytest --hypothesis-profile explore` tries others.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("explore"), derandomize=True)
settings.load_profile("same")


def png(seed: int, *, upright: bool, side: int = 32) -> bytes:
    """A noisy picture of two bars, upright or level. The two kinds are easy to tell apart."""
    random = np.random.default_rng(seed)
    pixels = random.normal(random.integers(90, 160), 25, (side, side, 3))
    for start in random.choice(np.arange(2, side - 6, 6), 2, replace=False):
        bar = np.s_[:, start : start + 4] if upright else np.s_[start : start + 4]
        pixels[bar] += random.choice([-80, 80])
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(buffer, "PNG")
    return buffer.getvalue()


def write_images(folder: Path, *, train: int = 16, test: int = 12, pool: int = 0) -> Path:
    """A folder with train/ and test/, one folder per class in each, and pool/ as well; counts are per class."""
    for split, count, offset in (("train", train, 0), ("test", test, 10_000), ("pool", pool, 20_000)):
        for name in ("bicycle", "motorcycle") if count else ():
            here = folder / split / name
            here.mkdir(parents=True)
            for i in range(count):
                seed = offset + i + (5_000 if name == "motorcycle" else 0)
                (here / f"{name}_{split}_{i:03}.png").write_bytes(png(seed, upright=name == "bicycle"))
    return folder


@pytest.fixture(autouse=True)
def unconfigured_log() -> Iterator[None]:
    """Whoever configures the log does so for one test."""
    yield
    logger = logging.getLogger(logs.ROOT)
    for handler in [handler for handler in logger.handlers if not isinstance(handler, logging.NullHandler)]:
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_images(tmp_path / "images")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL server; a database's name is to be appended."""
    with cluster() as url:
        yield url


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> SecretStr | None:
    """SQLite, unless the test is marked for every database and runs on PostgreSQL this time."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return None
    server, name = request.getfixturevalue("postgres"), f"t{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(server + "postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return SecretStr(server + name)


on_every_database = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def open_home(tmp_path: Path, database_url: SecretStr | None) -> Iterator[Callable[[], App]]:
    """Open the same home, as a process that starts does; may be called again for a second process."""
    apps: list[App] = []

    def opener() -> App:
        apps.append(open_app(Settings(home=tmp_path / "home", database_url=database_url)))
        return apps[-1]

    yield opener
    for app in apps:
        app.close()


@pytest.fixture
def app(open_home: Callable[[], App]) -> App:
    return open_home()


MadeHome = Callable[..., Path]


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> MadeHome:
    """Have a function fill the home of a name, once for all processes that run the tests. Never opened: copied.

    start : a home to begin with a copy of.
    """
    own = tmp_path_factory.getbasetemp()
    root = own if worker_id == "master" else own.parent

    def home(name: str, fill: Callable[[App], object], start: Path | None = None) -> Path:
        folder, done = root / name, root / f"{name}.done"
        with FileLock(root / f"{name}.lock", 900, "{holder} has been making a test home for {timeout}.").held():
            if not done.exists():
                app = open_app(Settings(home=copied(start, folder) if start else folder / "home"))
                fill(app)
                app.close()
                done.touch()
        return folder / "home"

    return home


@pytest.fixture(scope="session")
def trained_home(made_home: MadeHome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a dataset and its pool, a model in service, and nothing captured yet."""

    def fill(app: App) -> None:
        etl.load(app, str(write_images(tmp_path_factory.mktemp("pictures") / "images", pool=12)))
        job = training.start(app)
        registration.wait(app, job.name)
        deployment.deploy(app, training.model_of_job(app, job.name).id)

    return made_home("trained", fill)


@pytest.fixture
def serving(trained_home: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    """An app with a dataset, a model in service, and nothing captured yet."""
    shutil.copytree(trained_home, tmp_path / "home", symlinks=True)
    return open_home()


@pytest.fixture(scope="session")
def challenged_home(trained_home: Path, made_home: MadeHome) -> Path:
    """A home whose second model waits for a decision."""
    return made_home("challenged", lambda app: registration.wait(app, training.start(app, seed=1).name), trained_home)


@pytest.fixture(scope="session")
def captured_folder(trained_home: Path, made_home: MadeHome) -> Path:
    """A home with captured inferences, none of them reviewed."""
    return made_home("captured", capture_some, trained_home)


@pytest.fixture
def challenged(challenged_home: Path, tmp_path: Path, open_home: Callable[[], App]) -> App:
    """An app with a champion and a challenger."""
    shutil.copytree(challenged_home, tmp_path / "home", symlinks=True)
    return open_home()
