"""Prices from the AWS price list, and endpoint requests from CloudWatch.

Sources: "Price List Query API" (GetProducts) in the Billing user guide; "Amazon SageMaker AI metrics in Amazon
CloudWatch" in the SageMaker developer guide.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from scones_core.aws.algorithms import Hardware
from scones_core.aws.session import Aws, utc
from scones_core.aws.ttl_cache import TtlCache
from scones_core.domain.costs import DAY, LOOK_BACK, Price
from scones_core.errors import NotFound, SconesError, Unavailable
from scones_core.ports import Instances, Use

T = TypeVar("T")
SOME_MINUTES = 300.0  # seconds for which an answer, or an error, is cached
THE_LIST = "price list"  # cache name for: the price list is not reachable
TO_THE_HOUR = timedelta(hours=1)  # period of the metric; CloudWatch gives up to 1,440 of them at once


class SageMakerCosts:
    """Answers and errors are cached for minutes, prices for a day."""

    def __init__(self, aws: Aws, machines: Hardware) -> None:
        self._aws = aws
        self._machines = machines
        self._prices: TtlCache[Price] = TtlCache(DAY, lambda _: False)
        self._types: TtlCache[str] = TtlCache(0, bool)  # of endpoint configurations, which cannot be changed
        self._answers: TtlCache[Any] = TtlCache(SOME_MINUTES, lambda _: False)

    def training(self) -> Instances:
        return Instances(self._machines.training_instance, Use.TRAINING, spot=self._machines.spot)

    def hosting(self) -> Instances:
        return Instances(self._machines.endpoint, Use.HOSTING, most=self._machines.most_instances)

    def running(self, endpoint: str) -> Instances | None:
        found = self._aws.endpoint_just_now(endpoint)
        if found is None:
            return None
        count = sum(variant.get("CurrentInstanceCount", 0) for variant in found.get("ProductionVariants", []))
        if not count or found["EndpointStatus"] in ("Failed", "Deleting"):
            return None
        config = found["EndpointConfigName"]
        instance = self._types.get(config, lambda: self._instance_type(config))
        return Instances(instance, Use.HOSTING, count=count, most=self._machines.most_instances)

    def price(self, instances: Instances) -> Price:
        name = f"{instances.use} {instances.type}"
        return self._kept(name, lambda: self._prices.get(name, lambda: self._listed(instances)))

    def last_asked(self, endpoint: str) -> datetime | None:
        return self._kept(f"asked {endpoint}", lambda: self._asked(endpoint))

    def _kept(self, name: str, ask: Callable[[], T]) -> T:
        def answer() -> T | SconesError:
            try:
                return ask()
            except SconesError as error:
                return error

        found: T | SconesError = self._answers.get(name, answer)
        if isinstance(found, SconesError):
            raise found.with_traceback(None)  # that of the first time says nothing of this one
        return found

    def _instance_type(self, config: str) -> str:
        variant = self._aws.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
        return str(variant.get("InstanceType", ""))

    def _listed(self, instances: Instances) -> Price:
        self._kept(THE_LIST, lambda: None)  # raises what the last one met with who asked for another instance
        try:
            found = [price for product in self._products(instances) for price in _hourly(product)]
        except Unavailable as error:
            self._answers.put(THE_LIST, error)
            raise
        if not found:
            raise NotFound(
                f"The AWS price list has no {instances.type} for {instances.use.lower()} in {self._aws.region}: "
                "check the instance type, or see aws.amazon.com/sagemaker/pricing."
            )
        return max(found, key=lambda price: price.per_hour)  # there is one; of more, an estimate takes the dearest

    def _products(self, instances: Instances) -> Iterator[Any]:
        wanted = {"instanceName": instances.type, "component": str(instances.use), "regionCode": self._aws.region}
        pages = self._aws.pricing.get_paginator("get_products").paginate(
            ServiceCode="AmazonSageMaker",
            Filters=[{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()],
        )
        return (json.loads(product) for page in pages for product in page["PriceList"])

    def _asked(self, endpoint: str) -> datetime | None:
        now = datetime.now(UTC)
        since = (now - LOOK_BACK).replace(minute=0, second=0, microsecond=0)
        found = self._aws.endpoint_just_now(endpoint)
        variants = found.get("ProductionVariants", []) if found else []
        hours = [hour for variant in variants for hour in self._hours(endpoint, variant["VariantName"], since, now)]
        return min(max(hours) + TO_THE_HOUR, now) if hours else None

    def _hours(self, endpoint: str, variant: str, since: datetime, now: datetime) -> Iterator[datetime]:
        """The hours in which the variant had requests."""
        answer = self._aws.cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="Invocations",
            Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
            StartTime=since,
            EndTime=now + TO_THE_HOUR,
            Period=int(TO_THE_HOUR.total_seconds()),
            Statistics=["Sum"],
        )
        return (utc(point["Timestamp"]) for point in answer["Datapoints"] if point["Sum"] > 0)


def _hourly(product: Any) -> Iterator[Price]:
    """Hourly on-demand prices of a product in the price list, without one-time fees."""
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            for currency, amount in dimension["pricePerUnit"].items():
                if dimension.get("unit") == "Hrs" and float(amount) > 0:
                    yield Price(float(amount), currency)
