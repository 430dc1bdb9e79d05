"""Which names of moto are replaced, and which are added."""

import functools
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.contract.stand_in import functions, sagemaker

# Replaced: the new function gets the old one first.
WRAPPED: dict[str, Callable[..., Any]] = {
    "moto.sagemaker.models.SageMakerModelBackend.create_endpoint": sagemaker.create_endpoint,
    "moto.sagemaker.models.SageMakerModelBackend.create_endpoint_config": sagemaker.create_endpoint_config,
    "moto.sagemaker.models.SageMakerModelBackend.create_model": sagemaker.create_model,
    "moto.sagemaker.models.SageMakerModelBackend.create_training_job": sagemaker.create_training_job,
    "moto.sagemaker.models.SageMakerModelBackend.create_transform_job": sagemaker.create_transform_job,
    "moto.sagemaker.models.SageMakerModelBackend.describe_endpoint": sagemaker.describe_endpoint,
    "moto.sagemaker.models.SageMakerModelBackend.list_training_jobs": sagemaker.list_training_jobs,
}
# Replaced wholly.
REPLACED: dict[str, Callable[..., Any]] = {
    "moto.awslambda.models.LambdaFunction.invoke": functions.invoke,
    "moto.sagemakerruntime.responses.SageMakerRuntimeResponse.invoke_endpoint": sagemaker.invoke_endpoint,
}
# A module's name replaced by another: CloudFormation is to make state machines where they are run, too.
RENAMED = {
    "moto.stepfunctions.models.stepfunctions_backends": "moto.stepfunctions.parser.models.stepfunctions_parser_backends"
}
# Added: moto does not have them.
ADDED: dict[str, Callable[..., Any]] = {
    "moto.iam.responses.IamResponse.simulate_principal_policy": sagemaker.simulate_principal_policy,
    "moto.sagemaker.responses.SageMakerResponse.stop_training_job": sagemaker.stop_training_job,
    "moto.sagemaker.responses.SageMakerResponse.update_endpoint": sagemaker.update_endpoint,
    "moto.sagemakerruntime.responses.SageMakerRuntimeResponse.setup_class": sagemaker.setup_class,
    "moto.servicequotas.responses.ServiceQuotasResponse.list_service_quotas": sagemaker.list_service_quotas,
}


def owner_of(path: str) -> tuple[Any, str]:
    """The class that a path names, and the name in it. Raises AttributeError when moto has no such class."""
    module, name, attribute = path.rsplit(".", 2)
    return getattr(importlib.import_module(module), name), attribute


def module_of(path: str) -> tuple[Any, str]:
    """The module that a path names, and the name in it."""
    module, name = path.rsplit(".", 1)
    return importlib.import_module(module), name


@contextmanager
def applied() -> Iterator[None]:
    """Replace and add for a while."""
    before: list[tuple[Any, str, Any]] = []
    for path, function in {**WRAPPED, **REPLACED, **ADDED}.items():
        owner, name = owner_of(path)
        before.append((owner, name, owner.__dict__.get(name)))
        new = _wrapping(getattr(owner, name), function) if path in WRAPPED else function
        setattr(owner, name, new)
    for path, by in RENAMED.items():
        module, name = module_of(path)
        before.append((module, name, getattr(module, name)))
        setattr(module, name, getattr(*module_of(by)))
    try:
        yield
    finally:
        for owner, name, old in reversed(before):
            if old is None:
                delattr(owner, name)
            else:
                setattr(owner, name, old)


def _wrapping(original: Any, function: Any) -> Any:
    @functools.wraps(original)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(original, self, *args, **kwargs)

    return wrapper
