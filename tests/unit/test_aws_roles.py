"""Every request of the functions, the state machines and SageMaker is in the policy of its role, and nothing else."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scones_core.aws import functions, training, training_log, transform
from scones_core.aws.algorithms import Algorithm, Hardware, image_uri
from scones_core.aws.endpoint import CAPTURE_PREFIX
from scones_core.domain.models import CHAMPION_VARIANT
from scones_core.services.batch import IMAGES, RESULTS
from tests.aws_requests import requested_by
from tests.contract.stand_in.deployment import ROOT
from tests.policies import ACCOUNT, ENDPOINT, HERE, OBJECTS, REGION, STACK, Request, allows, as_list, check, stack

MACHINES = sorted((ROOT / "infra").glob("*.asl.json"))
DELIVERY = {
    *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies"),
    *("logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery"),
}
TRACE = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
SAMPLE = {"xray:GetSamplingRules", "xray:GetSamplingTargets"}
HANDLERS = sorted((ROOT / "lambdas").glob("*/handler.py"))
ROLES = {
    stack().resources[name]["Properties"]["CodeUri"].rpartition("/")[2]: name
    for name in stack().resources
    if stack().resources[name]["Type"] == "AWS::Serverless::Function"
}
# What the functions read and write: any image of the bucket, or the results of a batch.
KEYS = {
    "serialize_image_data": ["test/a.png", "pool/a.png", "uploads/a.png", f"{IMAGES}batch-1/images/a.png"],
    "image_classification": ["test/a.png", "pool/a.png", "uploads/a.png", f"{IMAGES}batch-1/images/a.png"],
    "summarize_batch": [f"{RESULTS}batch-1/5f2e/manifest.json", f"{RESULTS}batch-1/5f2e/summary.json"],
}
NAMED_BY_THE_CALLER = ("serialize_image_data", "image_classification")  # an image that may be missing


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_a_function_may_do_what_it_needs_to_and_nothing_else(handler: Path):
    name = handler.parent.name
    function = ROLES[name]
    endpoint = f"arn:aws:sagemaker:{HERE}:endpoint/{ENDPOINT}"
    resources = {"sagemaker": [endpoint], "s3": [OBJECTS + key for key in KEYS.get(name, [])]}
    needs = [Request(one, on) for one in requested_by(handler) for on in resources[one.partition(":")[0]]]
    if name in NAMED_BY_THE_CALLER:
        needs.append(Request("s3:ListBucket", OBJECTS.rstrip("/")))
    group = f"arn:aws:logs:{HERE}:log-group:/aws/lambda/{STACK}-{name}"
    needs += [Request("logs:CreateLogStream", f"{group}:*"), Request("logs:PutLogEvents", f"{group}:log-stream:1")]
    needs += [Request(one, "*") for one in TRACE]
    check(f"{function}Role", needs)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_a_function_has_the_variables_that_it_reads_and_no_others(handler: Path):
    tree, text = ast.parse(handler.read_text()), handler.read_text()
    read = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and f'environ.get("{node.value}")' in text
    }
    function = stack().resources[ROLES[handler.parent.name]]["Properties"]
    given = set(function.get("Environment", {}).get("Variables", {}))
    told = {
        variable for output, variable in functions.READS.items() if output == f"{ROLES[handler.parent.name]}FunctionArn"
    }
    assert read == given == told


def states_of(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in machine["States"].values():
        yield state
        for inner in [state.get("ItemProcessor"), *state.get("Branches", [])]:
            if inner:
                yield from states_of(inner)


def requested_by_a_machine(file: Path) -> Iterator[Request]:
    """By its integrations: https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html"""
    name = f"{STACK}-{file.name.removesuffix('.asl.json')}"
    for state in states_of(json.loads(file.read_text())):
        if state.get("Resource") == "arn:aws:states:::lambda:invoke":
            function = state["Parameters"]["FunctionName"].removeprefix("${").removesuffix("}")
            yield Request("lambda:InvokeFunction", stack().outputs()[function])
        elif state["Type"] == "Task":
            raise NotImplementedError(f"what does {state['Resource']} need?")
        if state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
            yield Request("states:StartExecution", f"arn:aws:states:{HERE}:stateMachine:{name}")
            yield Request("states:DescribeExecution", f"arn:aws:states:{HERE}:execution:{name}/{state['Label']}:1")
        if "ItemReader" in state:
            assert state["ItemReader"]["Resource"] == "arn:aws:states:::s3:listObjectsV2"
            yield Request("s3:ListBucket", OBJECTS.rstrip("/"))
        if "ResultWriter" in state:
            verbs = ("GetObject", "PutObject", "ListMultipartUploadParts", "AbortMultipartUpload")
            for prefix in (RESULTS, "batch-results/"):  # what the app says, and the definition's default
                yield from [Request(f"s3:{verb}", f"{OBJECTS}{prefix}batch-1/5f2e/manifest.json") for verb in verbs]


def test_the_state_machines_may_do_what_they_need_to_and_nothing_else():
    needs = [need for file in MACHINES for need in requested_by_a_machine(file)]
    check("StateMachineRole", [*needs, *[Request(one, "*") for one in {*DELIVERY, *TRACE, *SAMPLE}]])


def test_results_of_a_batch_go_where_the_definition_puts_them_by_default():
    text = (ROOT / "infra" / "classify_batch.asl.json").read_text()
    assert f"'results_prefix': '{RESULTS.rstrip('/')}'" in text


def repositories() -> list[str]:
    """Of the containers, in whatever account AWS keeps them for the region."""
    uris = [
        image_uri(algorithm, REGION, Hardware(algorithm).training_instance, scope=scope)
        for algorithm in Algorithm
        for scope in ("training", "inference")
    ]
    return [
        f"arn:aws:ecr:{REGION}:{uri.partition('.')[0]}:repository/{uri.partition('/')[2].partition(':')[0]}"
        for uri in uris
    ]


def requested_by_sagemaker() -> Iterator[Request]:
    """By its jobs and endpoints: "How to use SageMaker AI execution roles" in the SageMaker developer guide."""
    read = ["train/a.png", "test/a.png", "datasets/1/train.lst", "models/job/output/model.tar.gz"]
    read += ["code/1/sourcedir.tar.gz", f"checkpoints/{STACK}-job/1", "transform/1/manifest.json", "pool/a.png"]
    written = ["models/job/output/model.tar.gz", f"checkpoints/{STACK}-job/1", "transform/1/output/test/a.png.out"]
    written += [f"{CAPTURE_PREFIX}{ENDPOINT}/{CHAMPION_VARIANT}/2026/01/01/00/1.jsonl"]
    yield Request("s3:ListBucket", OBJECTS.rstrip("/"))
    yield from [Request("s3:GetObject", OBJECTS + key) for key in read]
    yield from [
        Request(f"s3:{verb}", OBJECTS + key) for key in written for verb in ("PutObject", "AbortMultipartUpload")
    ]
    groups = [training_log.GROUP, f"/aws/sagemaker/Endpoints/{ENDPOINT}", "/aws/sagemaker/TransformJobs"]
    for group in groups:
        verbs = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
        yield from [Request(f"logs:{verb}", f"arn:aws:logs:{HERE}:log-group:{group}:log-stream:1") for verb in verbs]
    pulls = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
    yield from [Request(f"ecr:{verb}", repository) for repository in repositories() for verb in pulls]
    yield from [Request(one, "*") for one in ("ecr:GetAuthorizationToken", "cloudwatch:PutMetricData")]
    alarms = stack().outputs()["RollbackAlarms"].split(",")
    for alarm in alarms:
        yield Request("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{HERE}:alarm:{alarm}")


def test_sagemaker_may_do_what_it_needs_to_and_nothing_else():
    check("SageMakerRole", list(requested_by_sagemaker()))


def test_sagemaker_writes_nowhere_else_than_the_code_sends_it():
    """The places in the requests of the code are the prefixes that the role may write."""
    places = {
        ast.literal_eval(node)
        for module in (training, transform)
        for node in ast.walk(ast.parse(Path(module.__file__).read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value in ("models", "checkpoints/", "transform/")
    }
    allowed = {CAPTURE_PREFIX, *(place.rstrip("/") + "/" for place in places)}
    statements = stack().statements("SageMakerRole")
    [write] = [s for s in statements if "s3:PutObject" in as_list(s["Action"])]
    assert {resource.removeprefix(OBJECTS).removesuffix("*") for resource in write["Resource"]} == allowed


@pytest.mark.parametrize(
    ("role", "action", "resource"),
    [
        ("SerializeImageDataRole", "s3:PutObject", f"{OBJECTS}test/a.png"),
        ("ImageClassificationRole", "sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:{HERE}:endpoint/another"),
        ("FilterLowConfidenceRole", "s3:GetObject", f"{OBJECTS}test/a.png"),
        ("SummarizeBatchRole", "s3:GetObject", f"{OBJECTS}test/a.png"),
        ("SummarizeBatchRole", "s3:PutObject", f"{OBJECTS}models/job/output/model.tar.gz"),
        ("StateMachineRole", "s3:PutObject", f"{OBJECTS}test/a.png"),
        ("StateMachineRole", "s3:GetObject", f"{OBJECTS}{IMAGES}batch-1/images/a.png"),
        ("StateMachineRole", "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:another"),
        ("StateMachineRole", "states:StartExecution", f"arn:aws:states:{HERE}:stateMachine:another"),
        ("SageMakerRole", "s3:PutObject", f"{OBJECTS}test/a.png"),
        ("SageMakerRole", "s3:PutObject", f"{OBJECTS}code/1/sourcedir.tar.gz"),
        ("SageMakerRole", "s3:GetObject", "arn:aws:s3:::another-bucket/a.png"),
        ("SageMakerRole", "cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{HERE}:alarm:another"),
        ("SageMakerRole", "logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/another:log-stream:1"),
        ("SageMakerRole", "ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/another"),
    ],
)
def test_a_role_may_not_touch_what_is_not_its_business(role: str, action: str, resource: str):
    assert not allows(stack().statements(role), Request(action, resource))
