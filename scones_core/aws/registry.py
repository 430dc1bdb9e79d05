"""The SageMaker Model Registry: publishes every model version and its approval in the stack's model package group."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scones_core.aws.algorithms import Hardware
from scones_core.aws.models import Models
from scones_core.aws.object_store import S3ObjectStore
from scones_core.aws.session import Aws
from scones_core.domain.models import Approval
from scones_core.ports import EndpointConfig

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import ModelApprovalStatusType

ACCEPTED = ["image/png", "image/jpeg", "application/x-image"]


class SageMakerRegistry:
    """Model packages are identified by their description: model version and artifact checksum."""

    def __init__(self, aws: Aws, objects: S3ObjectStore, machines: Hardware) -> None:
        self._aws = aws
        self._models = Models(aws, objects, machines)
        self._instance = machines.endpoint

    def publish(self, config: EndpointConfig, approval: Approval, facts: Mapping[str, str]) -> None:
        status: ModelApprovalStatusType = approval.value
        described = f"{config.model}, artifact SHA-256 {config.artifact_sha256}"
        known = self._known(described)
        if known:
            self._aws.sagemaker.update_model_package(ModelPackageArn=known, ModelApprovalStatus=status)
            return
        specification: Any = {
            "Containers": [self._models.container(config)],
            "SupportedContentTypes": ACCEPTED,
            "SupportedResponseMIMETypes": ["application/json"],
            "SupportedRealtimeInferenceInstanceTypes": [self._instance],
            "SupportedTransformInstanceTypes": [self._instance],
        }
        self._aws.sagemaker.create_model_package(
            ModelPackageGroupName=self._aws.stack,
            ModelPackageDescription=described,
            ModelApprovalStatus=status,
            CustomerMetadataProperties=facts,
            InferenceSpecification=specification,
        )

    def _known(self, described: str) -> str | None:
        """ARN of the model package of that description."""
        pages = self._aws.sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self._aws.stack,
            SortBy="CreationTime",
            SortOrder="Descending",
            PaginationConfig={"PageSize": 100},
        )
        packages = (package for page in pages for package in page["ModelPackageSummaryList"])
        return next((p["ModelPackageArn"] for p in packages if p.get("ModelPackageDescription") == described), None)
