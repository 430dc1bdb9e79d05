"""Auto scaling of an endpoint's instances with its load."""

from collections.abc import Collection
from typing import Any

from scones_core.aws.session import Aws
from scones_core.errors import NotFound

INVOCATIONS_PER_MINUTE = 600.0  # of one instance, that the policy aims at: 10 a second
DIMENSION: Any = "sagemaker:variant:DesiredInstanceCount"


class Scaling:
    """most : maximum instances; 1 disables scaling."""

    def __init__(self, aws: Aws, most: int) -> None:
        self._aws = aws
        self._most = most

    def apply(self, endpoint: str, variant: str) -> None:
        """Let the variant scale between one instance and the most."""
        if self._most <= 1:
            return
        target = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
            "ScalableDimension": DIMENSION,
        }
        client: Any = self._aws.autoscaling
        client.register_scalable_target(**target, MinCapacity=1, MaxCapacity=self._most)
        client.put_scaling_policy(
            **target,
            PolicyName=f"{endpoint}-invocations",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": INVOCATIONS_PER_MINUTE,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            },
        )

    def withdraw(self, endpoint: str, *, keep: Collection[str] = ()) -> None:
        """Remove the policies of all variants but those to keep; no variant can be removed for good that has some.

        Source: "Update endpoints that use auto scaling" in the SageMaker developer guide.
        """
        if self._most <= 1:
            return
        client: Any = self._aws.autoscaling
        kept = {f"endpoint/{endpoint}/variant/{variant}" for variant in keep}
        found = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        for target in found:
            if target["ResourceId"].startswith(f"endpoint/{endpoint}/") and target["ResourceId"] not in kept:
                try:
                    client.deregister_scalable_target(
                        ServiceNamespace="sagemaker", ResourceId=target["ResourceId"], ScalableDimension=DIMENSION
                    )
                except NotFound:
                    continue
