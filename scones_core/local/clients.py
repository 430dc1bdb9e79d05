"""boto3-compatible clients over the ports, for the functions of `lambdas/`.

Like boto3, they raise errors whose class is named by the service's error code.
"""

import hashlib
import io
import json
import uuid
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from scones_core.errors import BadImage, NotFound, SconesError, Unavailable
from scones_core.ports import EndpointService, ObjectInfo, ObjectStore

_LISTINGS = 16  # that are kept for their next page


class ClientError(Exception):
    """An error answer of a service."""


class NoSuchBucket(ClientError):
    """The bucket is not the one this backend has."""


class NoSuchKey(ClientError):
    """The bucket has no such object."""


class ValidationError(ClientError):
    """SageMaker knows no such endpoint."""


class ModelError(ClientError):
    """The model's container refused the request."""


class ServiceUnavailable(ClientError):
    """The endpoint cannot be reached."""


class S3Client:
    """The part of boto3's `s3` client that the functions and the state machines use, over one bucket."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._listings: dict[
            tuple[str, str], Iterator[ObjectInfo]
        ] = {}  # by prefix and token, where the next page begins

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self._check(Bucket)
        try:
            data = self._objects.get(Key)
        except NotFound:
            raise NoSuchKey("The specified key does not exist.") from None
        return {"Body": io.BytesIO(data), "ContentLength": len(data)}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str = "") -> dict[str, Any]:  # noqa: N803
        self._check(Bucket)
        self._objects.put(Key, Body)
        return {"ETag": f'"{hashlib.md5(Body, usedforsecurity=False).hexdigest()}"'}

    def list_objects_v2(
        self,
        *,
        Bucket: str,  # noqa: N803
        Prefix: str = "",  # noqa: N803
        StartAfter: str = "",  # noqa: N803
        ContinuationToken: str = "",  # noqa: N803
        MaxKeys: int = 1000,  # noqa: N803
    ) -> dict[str, Any]:
        self._check(Bucket)
        listing = self._listings.pop((Prefix, ContinuationToken), None)
        if listing is None:
            listing = self._listing(Prefix, ContinuationToken or StartAfter)
        found = list(islice(listing, MaxKeys))
        following = next(listing, None) if found else None
        if following is None:
            return _page(found, None)
        self._keep((Prefix, found[-1].key), chain([following], listing))
        return _page(found, found[-1].key)

    def _listing(self, prefix: str, after: str) -> Iterator[ObjectInfo]:
        """List objects, also while some of them are deleted."""
        while True:
            try:
                for info in self._objects.list(prefix, after=after):
                    after = info.key
                    yield info
                return
            except FileNotFoundError:
                continue

    def _keep(self, place: tuple[str, str], listing: Iterator[ObjectInfo]) -> None:
        """Keep a listing for its next page: to begin it anew would walk all the objects before."""
        self._listings[place] = listing
        if len(self._listings) > _LISTINGS:
            self._listings.pop(next(iter(self._listings)), None)

    def _check(self, bucket: str) -> None:
        if bucket != self._objects.bucket:
            raise NoSuchBucket("The specified bucket does not exist")


def _page(found: list[ObjectInfo], token: str | None) -> dict[str, Any]:
    contents = [
        {
            "Key": info.key,
            "Size": info.size,
            "LastModified": info.modified,
            "ETag": f'"{info.version}"',
            "StorageClass": "STANDARD",
        }
        for info in found
    ]
    page = {"Contents": contents, "KeyCount": len(contents), "IsTruncated": token is not None}
    return page | ({"NextContinuationToken": token} if token else {})


class RuntimeClient:
    """`invoke_endpoint` of boto3's `sagemaker-runtime` client, over the endpoint service."""

    def __init__(self, endpoints: EndpointService) -> None:
        self._endpoints = endpoints

    def invoke_endpoint(
        self,
        *,
        EndpointName: str,  # noqa: N803 - boto3's names
        Body: bytes,  # noqa: N803
        ContentType: str = "application/x-image",  # noqa: N803
        InferenceId: str | None = None,  # noqa: N803
        CustomAttributes: str | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        try:
            probabilities = self._endpoints.invoke(
                EndpointName, Body, ContentType, inference_id=InferenceId, custom_attributes=CustomAttributes
            )
        except NotFound:
            raise ValidationError(f"Endpoint {EndpointName} not found.") from None
        except BadImage as error:
            raise ModelError(f'Received client error (400) from primary with message "{error}".') from error
        except Unavailable as error:
            raise ServiceUnavailable(str(error)) from error
        except SconesError as error:
            raise ModelError(f'Received server error (500) from primary with message "{error}".') from error
        body = json.dumps(probabilities).encode()
        return {
            "Body": io.BytesIO(body),
            "ContentType": "application/json",
            "ResponseMetadata": {"RequestId": str(uuid.uuid4()), "HTTPStatusCode": 200},
        }
