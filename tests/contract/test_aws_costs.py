"""What the AWS backend knows of costs, on the stand-in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from moto.cloudwatch.models import cloudwatch_backends
from moto.core import DEFAULT_ACCOUNT_ID

from scones_core.aws.algorithms import Algorithm, Hardware
from scones_core.aws.costs import SageMakerCosts
from scones_core.aws.session import Aws
from scones_core.domain.costs import Price
from scones_core.errors import NotFound, Unavailable
from scones_core.ports import Instances, Use
from tests.contract.conftest import REAL
from tests.contract.stand_in import prices, roles, sagemaker
from tests.contract.stand_in.server import REGION, STACK

pytestmark = pytest.mark.skipif(REAL, reason="looks into the stand-in")


@pytest.fixture
def costs(aws: Aws) -> Iterator[SageMakerCosts]:
    prices.asked.clear()
    yield SageMakerCosts(aws, Hardware())
    prices.refuses.clear()


def test_a_price_is_that_of_the_instance_its_use_and_the_region(costs: SageMakerCosts):
    assert costs.price(costs.training()) == Price(0.8, "USD")
    assert costs.price(costs.hosting()) == Price(0.1, "USD")
    assert costs.price(Instances("ml.m5.large", Use.TRAINING)) == Price(0.12, "USD")
    [asked, *_] = prices.asked
    assert asked["ServiceCode"] == "AmazonSageMaker"
    wanted = {wish["Field"]: wish["Value"] for wish in asked["Filters"]}
    assert wanted == {"instanceName": "ml.g4dn.xlarge", "component": "Training", "regionCode": REGION}
    assert {wish["Type"] for wish in asked["Filters"]} == {"TERM_MATCH"}


def test_the_settings_say_what_jobs_and_endpoints_run_on(aws: Aws):
    costs = SageMakerCosts(aws, Hardware(Algorithm.EMBEDDED, spot=True, most_instances=3))
    assert costs.training() == Instances("ml.m5.large", Use.TRAINING, spot=True)
    assert costs.hosting() == Instances("ml.m5.large", Use.HOSTING, most=3)


def test_a_price_is_asked_for_once(costs: SageMakerCosts):
    assert costs.price(costs.hosting()) == costs.price(costs.hosting())
    assert len(prices.asked) == 1


def test_a_refusal_names_the_permission_and_is_not_asked_for_again_at_once(costs: SageMakerCosts):
    prices.refuses.append("AccessDeniedException")
    for _ in range(3):
        with pytest.raises(Unavailable, match="denied pricing:GetProducts"):
            costs.price(costs.training())
    with pytest.raises(Unavailable):
        costs.price(costs.hosting())
    assert len(prices.asked) == 1


def test_an_instance_that_is_not_in_the_list_is_named(costs: SageMakerCosts):
    with pytest.raises(NotFound, match=r"no ml.x9.large for hosting in us-east-1: check the instance type"):
        costs.price(Instances("ml.x9.large", Use.HOSTING))


def test_a_list_that_cannot_be_reached_is_asked_once_and_briefly(
    aws_stand_in: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", "http://127.0.0.1:9")
    costs = SageMakerCosts(Aws(STACK), Hardware())
    with pytest.raises(Unavailable, match="cannot be reached"):
        costs.price(costs.training())


@pytest.mark.parametrize(
    ("region", "answers"),
    [
        ("us-west-2", "us-east-1"),
        ("eu-west-1", "eu-central-1"),
        ("ap-northeast-1", "ap-south-1"),
        ("sa-east-1", "us-east-1"),
        ("cn-north-1", "cn-northwest-1"),
    ],
)
def test_the_nearest_region_that_has_the_list_is_asked(aws_stand_in: dict[str, str], region: str, answers: str):
    assert Aws(STACK, region=region).pricing.meta.region_name == answers


def test_where_there_is_no_list_the_price_is_to_be_looked_up(aws_stand_in: dict[str, str]):
    costs = SageMakerCosts(Aws(STACK, region="us-gov-west-1"), Hardware())
    with pytest.raises(NotFound, match=r"no price list API for us-gov-west-1: see aws.amazon.com"):
        costs.price(costs.hosting())


# What runs


@pytest.fixture
def endpoint(aws: Aws) -> Iterator[str]:
    """An endpoint of two instances, which nobody has asked."""
    name = f"{STACK}-paid-for"
    image = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.c5.xlarge",
        "InitialInstanceCount": 2,
    }
    aws.sagemaker.create_model(ModelName=name, PrimaryContainer=image, ExecutionRoleArn=aws.output("SageMakerRoleArn"))
    aws.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    aws.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    yield name
    aws.sagemaker.delete_endpoint(EndpointName=name)
    roles.administrator("sagemaker").delete_endpoint_config(EndpointConfigName=name)
    roles.administrator("sagemaker").delete_model(ModelName=name)


def measured(endpoint: str, ago: timedelta) -> None:
    sagemaker.measure(
        sagemaker.sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION], endpoint, "AllTraffic", datetime.now(UTC) - ago
    )


def test_what_an_endpoint_runs_on_is_what_it_was_deployed_on(costs: SageMakerCosts, endpoint: str):
    assert costs.running(endpoint) == Instances("ml.c5.xlarge", Use.HOSTING, count=2)


def test_an_endpoint_that_does_not_exist_runs_on_nothing(costs: SageMakerCosts):
    assert costs.running("scones-nothing") is None


def test_an_endpoint_tells_when_it_was_last_asked_to_the_hour(costs: SageMakerCosts, endpoint: str):
    for ago in (timedelta(days=3), timedelta(hours=30)):
        measured(endpoint, ago)
    measured("another", timedelta(0))
    last = costs.last_asked(endpoint)
    assert last is not None
    assert timedelta(hours=29) <= datetime.now(UTC) - last <= timedelta(hours=30, minutes=1)


def test_an_endpoint_that_was_asked_long_ago_only_was_not_asked(costs: SageMakerCosts, endpoint: str):
    cloudwatch_backends[DEFAULT_ACCOUNT_ID][REGION].reset()
    measured(endpoint, timedelta(days=20))
    assert costs.last_asked(endpoint) is None
