"""Checks of the installation and of the backend's configuration."""

import hashlib
import importlib.metadata
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from scones_core import logs
from scones_core.domain.datasets import SPLITS, LabelledImage, lst_text
from scones_core.errors import Damaged, NotFound, SconesError, of_the_system
from scones_core.services import embedding_store, etl, processes, training
from scones_core.services.app import App
from scones_core.vision.extractor import extractor

PACKAGES = ("streamlit", "boto3", "pandas", "altair", "Pillow", "scikit-learn", "SQLAlchemy")
PROBE = "doctor/probe"
SAMPLE = 20  # number of dataset images checked

log = logs.get(__name__)


@dataclass(frozen=True)
class Check:
    """detail: the finding; if not ok, also what to do."""

    name: str
    ok: bool
    detail: str


def checks(app: App) -> list[Check]:
    """Run every check; a failure does not stop the others."""
    return [
        *_installation(),
        _run("database", lambda: _database(app)),
        _run("object store", lambda: _object_store(app)),
        _run("state machines", lambda: _state_machines(app)),
        _run("notifications", lambda: ", ".join(app.backend.notifier.channels()) or "none configured"),
        _run("background", lambda: processes.check(app)),
        _run("disk", lambda: _disk(app)),
        _run("image embeddings", lambda: _embeddings(app)),
        _run("dataset", lambda: _dataset(app)),
        _run("endpoint", lambda: _endpoint(app)),
        *[_run(name, check) for name, check in app.backend.checks()],
    ]


def checks_without_home(error: SconesError) -> list[Check]:
    """The checks that still work if the home cannot be opened because of `error`."""
    return [*_installation(), Check("home", False, str(error))]


def _installation() -> list[Check]:
    return [_run("python", _python), _run("packages", _packages)]


def _embeddings(app: App) -> str:
    """Without an extractor classifiers work on visual words alone, and nothing is compared by likeness."""
    extractor()
    return f"{embedding_store.embedded(app):,} images"


def configuration(app: App) -> list[dict[str, str]]:
    """The configuration, as rows `{setting, value, variable}`; secrets appear as “set”, never in full."""
    settings = app.settings
    rows = (
        ("Backend", str(settings.backend), "SCONES_BACKEND"),
        ("Home", settings.home.name or str(settings.home), "SCONES_HOME"),
        ("Endpoint", settings.endpoint, "SCONES_ENDPOINT"),
        ("Database", "set" if settings.database_url else "SQLite in the home", "SCONES_DATABASE_URL"),
        ("Bucket", app.backend.objects.bucket, ""),
    )
    return [{"setting": setting, "value": value, "variable": variable} for setting, value, variable in rows]


def _run(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except SconesError as error:
        return Check(name, False, str(error))
    except OSError as error:
        return Check(name, False, str(of_the_system(error)))
    except Exception as error:  # a check must not crash the doctor
        log.exception("a check failed unexpectedly", check=name)
        return Check(name, False, f"{type(error).__name__}: {error}. See {logs.FILE} in the home.")


def _python() -> str:
    return f"Python {sys.version.split()[0]}"


def _packages() -> str:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            raise SconesError(f"The package {package} is missing: run pip install -r requirements.txt.") from None
    return ", ".join(found)


def _database(app: App) -> str:
    app.db.check()
    with app.db.write():
        return f"{app.db.engine.dialect.name}, readable and writable"


def _object_store(app: App) -> str:
    app.backend.objects.put(PROBE, b"ok")
    app.backend.objects.get(PROBE)
    app.backend.objects.delete(PROBE)
    return f"bucket “{app.backend.objects.bucket}”, readable and writable"


def _disk(app: App) -> str:
    free = shutil.disk_usage(app.settings.home).free
    if free < 500_000_000:
        raise SconesError(f"Only {free / 1e6:.0f} MB free on the disk of the home: free space for images and models.")
    return f"{free / 1e9:.1f} GB free"


def _dataset(app: App) -> str:
    version = etl.current(app)
    if version is None:
        return "no images loaded yet: load some on Data, or with etl"
    images = etl.images(app, version.id)
    for split in SPLITS:
        key = f"datasets/{version.id}/{split}.lst"
        if app.backend.objects.get(key).decode(errors="replace") != lst_text(images, split):
            raise Damaged(f"“{key}” is damaged: load the images again.")
    some = images[:: len(images) // SAMPLE + 1]
    lacking = [image.key for image in some if not _is_there(app, image)]
    if lacking:
        raise Damaged(
            f"{len(lacking)} of {len(some)} checked images are missing or damaged, such as “{lacking[0]}”: load the "
            "images again."
        )
    return f"{version.id}: {version.train} train, {version.pool} pool, {version.test} test images"


def _is_there(app: App, image: LabelledImage) -> bool:
    try:
        return hashlib.sha256(app.backend.objects.get(image.key)).hexdigest() == image.sha256
    except NotFound:
        return False


def _state_machines(app: App) -> str:
    names = app.backend.machines.names()
    for name in names:
        app.backend.machines.definition(name)
    return ", ".join(names)


def _endpoint(app: App) -> str:
    serving = app.backend.endpoints.describe(app.settings.endpoint)
    if serving is None:
        return "none deployed yet"
    model = training.model(app, serving.config.model)
    app.backend.endpoints.transform(training.endpoint_config(model), [])
    return f"{serving.name} serves {serving.config.model}, {serving.status}"
