"""The S3 client of the embedded backend: pages of a listing."""

from collections.abc import Iterator
from typing import Any

from scones_core.local.clients import S3Client
from scones_core.ports import ObjectInfo
from tests.unit.asl.world import MemoryObjects


class Counted(MemoryObjects):
    """Counts how many objects listings looked at; `vanishes` is deleted while it is being listed."""

    looked_at = 0
    vanishes = ""

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        for info in super().list(prefix):
            self.looked_at += 1
            if info.key == self.vanishes:
                self.delete(info.key)
                self.vanishes = ""
                raise FileNotFoundError
            if info.key > after:
                yield info


def keys(objects: MemoryObjects, client: S3Client, prefix: str = "", size: int = 10) -> list[str]:
    found, page = list[str](), dict[str, Any](IsTruncated=True)
    while page["IsTruncated"]:
        token = {"ContinuationToken": page["NextContinuationToken"]} if "NextContinuationToken" in page else {}
        page = client.list_objects_v2(Bucket="bucket", Prefix=prefix, MaxKeys=size, **token)
        found += [info["Key"] for info in page["Contents"]]
    return found


def test_all_pages_together_look_at_every_object_once():
    objects = Counted({f"{number:03}": b"" for number in range(100)})
    assert keys(objects, S3Client(objects)) == [f"{number:03}" for number in range(100)]
    assert objects.looked_at == 100


def test_a_page_can_be_asked_for_again_and_by_another_client():
    objects = Counted({f"{number:03}": b"" for number in range(30)})
    client = S3Client(objects)
    first = client.list_objects_v2(Bucket="bucket", MaxKeys=10)
    token = first["NextContinuationToken"]
    pages = [
        one.list_objects_v2(Bucket="bucket", MaxKeys=10, ContinuationToken=token)["Contents"]
        for one in (client, client, S3Client(objects))
    ]
    assert [page[0]["Key"] for page in pages] == ["010"] * 3
    assert pages[0] == pages[1] == pages[2]


def test_listings_at_the_same_time_do_not_mix():
    objects = Counted({f"{folder}/{number}": b"" for folder in "ab" for number in range(9)})
    client = S3Client(objects)
    pages = {prefix: client.list_objects_v2(Bucket="bucket", Prefix=prefix, MaxKeys=4) for prefix in ("a/", "b/")}
    for prefix, page in pages.items():
        token = page["NextContinuationToken"]
        following = client.list_objects_v2(Bucket="bucket", Prefix=prefix, MaxKeys=4, ContinuationToken=token)
        assert [info["Key"] for info in following["Contents"]] == [f"{prefix}{number}" for number in range(4, 8)]


def test_an_object_that_is_deleted_while_it_is_listed_is_left_out():
    objects = Counted({f"{number:02}": b"" for number in range(20)})
    objects.vanishes = "13"
    assert keys(objects, S3Client(objects)) == [f"{number:02}" for number in range(20) if number != 13]


def test_listings_that_nobody_follows_are_forgotten():
    objects = Counted({f"{number:03}": b"" for number in range(200)})
    client = S3Client(objects)
    for number in range(100):
        client.list_objects_v2(Bucket="bucket", MaxKeys=1, StartAfter=f"{number:03}")
    assert len(client._listings) <= 16
