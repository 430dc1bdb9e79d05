"""The object store in S3: the bucket of the stack."""

import mimetypes
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from scones_core.aws.errors import code, unanswered
from scones_core.aws.session import Aws, utc
from scones_core.bounded_map import bounded_map
from scones_core.errors import BadInput, Conflict, NotFound
from scones_core.ports import ObjectInfo

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef


class S3ObjectStore:
    """Keys are those of the embedded backend: names without leading dots, separated by single slashes."""

    at_once = 16  # each waits for the line most of the time

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    @cached_property
    def bucket(self) -> str:
        return self._aws.output("BucketName")

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def key_of(self, uri: str) -> str:
        """The key of an S3 URI of this bucket."""
        return uri.removeprefix(self.uri(""))

    def put(self, key: str, data: bytes) -> None:
        self._aws.s3.put_object(Bucket=self.bucket, Key=checked(key), Body=data, ContentType=content_type(key))

    def put_new(self, key: str, data: bytes) -> bool:
        """Store an object unless there is one of this key; of several writers, one gets True."""
        try:
            self._aws.s3.put_object(
                Bucket=self.bucket, Key=checked(key), Body=data, ContentType=content_type(key), IfNoneMatch="*"
            )
        except Conflict:
            return False
        return True

    def put_many(self, items: Iterable[tuple[str, bytes]]) -> None:
        for _ in bounded_map(lambda item: self.put(*item), items, self.at_once):
            pass

    def make_durable(self, keys: Iterable[str]) -> None:
        """S3's objects are."""

    def get(self, key: str) -> bytes:
        return b"".join(self.chunks(key))

    def chunks(self, key: str) -> Iterator[bytes]:
        """The object's bytes, a megabyte at a time. Raises NotFound."""
        try:
            body = self._aws.s3.get_object(Bucket=self.bucket, Key=checked(key))["Body"]
        except NotFound as error:
            raise self._not_found(key, error) from error
        try:
            yield from body.iter_chunks(1 << 20)
        except BotoCoreError as error:
            raise unanswered(error) from error

    def exists(self, key: str) -> bool:
        try:
            self._aws.s3.head_object(Bucket=self.bucket, Key=checked(key))
        except NotFound:
            return False
        return True

    def delete(self, key: str) -> None:
        self._aws.s3.delete_object(Bucket=self.bucket, Key=checked(key))

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        pages = self._aws.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, StartAfter=after
        )
        for page in pages:
            yield from map(_info, page.get("Contents", []))

    def listdir(self, prefix: str = "") -> tuple[Sequence[str], Sequence[ObjectInfo]]:
        pages = self._aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
        folders, objects = list[str](), list[ObjectInfo]()
        for page in pages:
            folders += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
            objects += map(_info, page.get("Contents", []))
        return folders, objects

    def get_range(self, key: str, start: int, end: int) -> bytes:
        wanted = f"bytes={start}-{end - 1}"
        try:
            with suppress(BadInput):  # the object ends before `start`
                return self._aws.s3.get_object(Bucket=self.bucket, Key=checked(key), Range=wanted)["Body"].read()
        except NotFound as error:
            raise self._not_found(key, error) from error
        except BotoCoreError as error:
            raise unanswered(error) from error
        return b""

    def _not_found(self, key: str, error: NotFound) -> NotFound:
        if code(error) == "NoSuchBucket":
            return error
        return NotFound(f"No object “{key}” in the bucket “{self.bucket}”.")


def _info(item: "ObjectTypeDef") -> ObjectInfo:
    return ObjectInfo(item["Key"], item["Size"], utc(item["LastModified"]), item["ETag"].strip('"'))


def checked(key: str) -> str:
    """The key, when both backends can hold it. Raises BadInput."""
    parts = key.split("/")
    if "\0" in key or len(key.encode()) > 1024 or any(part == "" or part.startswith(".") for part in parts):
        raise BadInput(f"The key “{key}” cannot be used: use names without leading dots, separated by single /.")
    return key


def content_type(key: str) -> str:
    """Content type, so that browsers display the object."""
    return mimetypes.guess_type(key)[0] or "application/octet-stream"
