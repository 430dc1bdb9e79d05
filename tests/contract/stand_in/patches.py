"""Which names of moto are replaced, and which are added."""

import functools
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tests.contract.stand_in import distributed_map, functions, iam, others, sagemaker

PARSER = "moto.stepfunctions.parser.asl"
# Replaced: the new function gets the old one first.
WRAPPED: dict[str, Callable[..., Any]] = {
    "moto.awslambda.models.LambdaFunction.get_configuration": others.get_configuration,
    "moto.awslambda.models.LambdaFunction.update_configuration": others.update_configuration,
    "moto.sagemaker.models.SageMakerModelBackend.create_endpoint": sagemaker.create_endpoint,
    "moto.sagemaker.models.SageMakerModelBackend.create_endpoint_config": sagemaker.create_endpoint_config,
    "moto.sagemaker.models.SageMakerModelBackend.create_model": sagemaker.create_model,
    "moto.sagemaker.models.SageMakerModelBackend.create_training_job": sagemaker.create_training_job,
    "moto.sagemaker.models.SageMakerModelBackend.create_transform_job": sagemaker.create_transform_job,
    "moto.sagemaker.models.SageMakerModelBackend.describe_endpoint": sagemaker.describe_endpoint,
    "moto.sagemaker.models.SageMakerModelBackend.list_training_jobs": sagemaker.list_training_jobs,
    "moto.sagemaker.models.SageMakerModelBackend.update_endpoint_weights_and_capacities": (
        sagemaker.update_endpoint_weights_and_capacities
    ),
    "moto.stepfunctions.parser.models.StepFunctionsParserBackend.describe_map_run": others.describe_map_run,
    "moto.stepfunctions.responses.StepFunctionResponse.describe_state_machine_for_execution": (
        others.describe_state_machine_for_execution
    ),
    "moto.stepfunctions.responses.StepFunctionResponse.stop_execution": others.stop_execution,
    f"{PARSER}.component.state.exec.state_map.iteration.itemprocessor.distributed_item_processor_worker"
    ".DistributedItemProcessorWorker._eval_job": distributed_map.eval_job,
    f"{PARSER}.parse.asl_parser.AmazonStateLanguageParser.parse": distributed_map.parse,
}
# Replaced wholly.
REPLACED: dict[str, Any] = {
    "moto.awslambda.models.LambdaFunction.invoke": functions.invoke,
    "moto.iam.access_control.IAMRequestBase.check_action_permitted": iam.check_action_permitted,
    "moto.iam.access_control.IAMRequestBase.check_signature": iam.check_signature,
    "moto.sagemakerruntime.responses.SageMakerRuntimeResponse.invoke_endpoint": sagemaker.invoke_endpoint,
    f"{PARSER}.component.state.exec.state_map.result_writer.result_writer_decl.ResultWriter"
    "._eval_body": distributed_map.eval_result_writer,
    f"{PARSER}.component.state.exec.state_map.result_writer.resource_eval.resource_eval_s3.ResourceEvalS3"
    "._handle_put_object": staticmethod(distributed_map.put_object),
    "moto.stepfunctions.parser.models.StepFunctionsParserBackend._validate_definition": staticmethod(
        others.validate_definition
    ),
}
# Names of modules: CloudFormation is to make state machines where they are run, too; JSONata runs without Java; state
# machines act in their role.
MODULES: dict[str, Any] = {
    "moto.stepfunctions.models.stepfunctions_backends": stepfunctions_parser_backends,
    f"{PARSER}.jsonata.jsonata._eval_jsonata": distributed_map.jsonata,
    f"{PARSER}.component.state.exec.state_task.lambda_eval_utils.boto_client_for": distributed_map.client_for,
    f"{PARSER}.component.state.exec.state_map.item_reader.eval.resource_eval_s3.boto_client_for": (
        distributed_map.client_for
    ),
}
# Added: moto does not have them.
ADDED: dict[str, Callable[..., Any]] = {
    "moto.iam.responses.IamResponse.simulate_principal_policy": others.simulate_principal_policy,
    "moto.sagemaker.responses.SageMakerResponse.stop_training_job": sagemaker.stop_training_job,
    "moto.sagemaker.responses.SageMakerResponse.update_endpoint": sagemaker.update_endpoint,
    "moto.sagemakerruntime.responses.SageMakerRuntimeResponse.setup_class": sagemaker.setup_class,
    "moto.servicequotas.responses.ServiceQuotasResponse.list_service_quotas": others.list_service_quotas,
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
    modules: list[tuple[Any, str, Any]] = []
    for path, function in {**WRAPPED, **REPLACED, **ADDED}.items():
        owner, name = owner_of(path)
        before.append((owner, name, owner.__dict__.get(name)))
        new = _wrapping(owner, name, function) if path in WRAPPED else function
        setattr(owner, name, new)
    for path, value in MODULES.items():
        module, name = module_of(path)
        modules.append((module, name, getattr(module, name)))
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, old in modules:
            setattr(module, name, old)
        for owner, name, old in reversed(before):
            if old is None:
                delattr(owner, name)
            else:
                setattr(owner, name, old)


def _wrapping(owner: Any, name: str, function: Any) -> Any:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(original, *args, **kwargs)

    return staticmethod(wrapper) if isinstance(owner.__dict__.get(name), staticmethod) else wrapper
