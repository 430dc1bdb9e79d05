"""Wiring: the only module that builds a backend. Its arguments are the seams for tests."""

import errno
import gc
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from scones_core.db import Database
from scones_core.errors import Unavailable
from scones_core.ports import Backend
from scones_core.services import App, attribution
from scones_core.services.threshold import settle_variables
from scones_core.settings import FILES, BackendName, Settings


def open_app(settings: Settings | None = None) -> App:
    """Open the backend and the database of these settings; creates the home if it does not exist."""
    settings = settings or Settings.read()
    url = settings.database_url.get_secret_value() if settings.database_url else None
    with ExitStack() as opened:
        try:
            home = _resolved(settings.home)
            settings = settings.model_copy(update={"home": home})
            backend = build_backend(settings, home)
            opened.callback(backend.close)
            db = Database(home, url)
            opened.callback(db.close)
        except OSError as error:
            raise Unavailable(
                f"The home “{settings.home.name[:100]}” cannot be used ({error.strerror}): choose another with --home."
            ) from None
        app = App(settings, backend, db)
        attribution.attribute_older(app)
        settle_variables(app)
        _freeze()
        opened.pop_all()
    return app


@cache
def _freeze() -> None:
    """Modules live as long as the process: a full collection that walks them all takes 0.1 s."""
    gc.freeze()


def _resolved(home: Path) -> Path:
    try:
        return home.resolve()
    except RuntimeError:  # what Python 3.11 and 3.12 raise
        raise OSError(errno.ELOOP, "a symbolic link loop") from None


def build_backend(settings: Settings, home: Path) -> Backend:
    """Imports its adapters here, so that one backend never loads the other's libraries."""
    if settings.backend is BackendName.AWS:
        return _aws(settings)
    return _embedded(settings, home)


def _embedded(settings: Settings, home: Path) -> Backend:
    from scones_core.local.clients import RuntimeClient, S3Client
    from scones_core.local.endpoint import LocalEndpoints
    from scones_core.local.notifier import AppriseNotifier
    from scones_core.local.object_store import LocalObjectStore
    from scones_core.local.training import LocalTraining
    from scones_core.local.workflow import LocalWorkflows

    objects = LocalObjectStore(home / "objects")
    training = LocalTraining(home / "training", objects)
    endpoints = LocalEndpoints(home / "endpoints", objects)
    workflows = LocalWorkflows(
        home / "workflows",
        definitions_dir=FILES / "infra",
        lambdas_dir=FILES / "lambdas",
        clients={"s3": S3Client(objects), "runtime": RuntimeClient(endpoints)},
    )

    def close() -> None:
        workflows.close()
        endpoints.close()

    return Backend(
        name="embedded",
        objects=objects,
        training=training,
        endpoints=endpoints,
        workflows=workflows,
        machines=workflows,
        notifier=AppriseNotifier(settings.notify.get_secret_value().split() if settings.notify else []),
        close=close,
        threads=workflows.threads,
        troubles=endpoints.troubles,
        checks=lambda: [
            ("captures", endpoints.check_captures),
            ("workflow", workflows.check),
            ("training", training.check),
        ],
    )


def _aws(settings: Settings) -> Backend:
    try:
        import boto3  # noqa: F401
    except ImportError:
        raise Unavailable(
            "The AWS backend needs packages that are not installed: pip install 'scones-unlimited[aws]'."
        ) from None
    from scones_core.aws.algorithms import Algorithm, Hardware
    from scones_core.aws.checks import checks
    from scones_core.aws.costs import SageMakerCosts
    from scones_core.aws.endpoint import SageMakerEndpoints
    from scones_core.aws.notifier import SnsNotifier
    from scones_core.aws.object_store import S3ObjectStore
    from scones_core.aws.registry import SageMakerRegistry
    from scones_core.aws.session import Aws
    from scones_core.aws.training import SageMakerTraining
    from scones_core.aws.workflow import StepFunctions

    machines = Hardware(
        algorithm=Algorithm.named(settings.algorithm),
        training=settings.training_instance,
        endpoint=settings.endpoint_instance,
        spot=settings.training_spot,
        most_instances=settings.endpoint_most_instances,
    )
    aws, poll = Aws(settings.stack, region=settings.region, profile=settings.profile), settings.poll_seconds
    objects = S3ObjectStore(aws)
    workflows = StepFunctions(aws, poll=min(poll, 0.5))
    return Backend(
        name="aws",
        objects=objects,
        training=SageMakerTraining(aws, objects, machines, poll=min(poll, 2.0)),
        endpoints=SageMakerEndpoints(aws, objects, machines, poll=poll),
        workflows=workflows,
        machines=workflows,
        notifier=SnsNotifier(aws),
        registry=SageMakerRegistry(aws, objects, machines),
        costs=SageMakerCosts(aws, machines),
        checks=lambda: checks(aws, objects, machines, settings.endpoint),
    )
