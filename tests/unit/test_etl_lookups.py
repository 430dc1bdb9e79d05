"""Looking for what lies in the bucket already, on a store that is worth asking many times at once."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from scones_core.services import App, etl
from tests.conftest import write_images

AT_ONCE = 4


class Distant:
    """The store of the app, which answers whether a key exists to as many as may ask at once, and not before."""

    at_once = AT_ONCE

    def __init__(self, objects: Any) -> None:
        self._objects = objects
        self._met = threading.Barrier(AT_ONCE, timeout=20)
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def exists(self, key: str) -> bool:
        self.asked.append(key)
        self._met.wait()
        return bool(self._objects.exists(key))


def test_images_are_looked_for_side_by_side_and_once_each(app: App, tmp_path: Path):
    store = Distant(app.backend.objects)
    distant = replace(app, backend=replace(app.backend, objects=store))
    version = etl.load(distant, str(write_images(tmp_path / "images", train=4, test=2)))
    images = version.train + version.test + version.pool
    assert images % AT_ONCE == 0
    assert len(store.asked) == len(set(store.asked)) == images
