"""The demo's home: a folder inside the app's home, on the embedded backend. It touches no other."""

import shutil
import threading
from datetime import UTC, datetime

from scones_core.bootstrap import open_app
from scones_core.services import App, likeness, registration
from scones_core.settings import BackendName, Settings


class DemoHome:
    """At most one, on disk until discarded. Each is a new folder, so that nothing cached of an older one shows."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._root = settings, settings.home / "demo"
        self._lock = threading.Lock()
        self._app: App | None = None

    @property
    def exists(self) -> bool:
        return self._app is not None or any(self._root.glob("*/"))

    def open(self) -> App | None:
        """The demo's app, also after a restart of the server; None if there is no demo."""
        with self._lock:
            if self._app is None and (found := sorted(self._root.glob("*/"))):
                self._app = self._opened(found[-1].name)
            return self._app

    def new(self) -> App:
        """Discard the old home and open an empty one."""
        with self._lock:
            self._discard()
            self._app = self._opened(f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
            return self._app

    def discard(self) -> None:
        """Close the demo's home and delete it."""
        with self._lock:
            self._discard()

    def close(self) -> None:
        with self._lock:
            app, self._app = self._app, None
        if app:
            app.close()

    def _discard(self) -> None:
        if self._app:
            self._app.close()
            self._app = None
        shutil.rmtree(self._root, ignore_errors=True)

    def _opened(self, name: str) -> App:
        changed = {"backend": BackendName.EMBEDDED, "home": self._root / name, "database_url": None, "notify": None}
        app = open_app(self._settings.model_copy(update=changed))
        registration.watch(app)
        likeness.watch(app)
        return app
