"""The log: one line per event, with the ids of the things involved.

    log = logs.get(__name__)
    log.info("execution ended", execution="exec-…", status="FAILED")

`with logs.about(page="review", reviewer="Ada"): …` adds ids to every line of a block. Never log a secret, an image, or
a body. Nothing is written until `configure` is called.
"""

import functools
import inspect
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import structlog

from scones_core.errors import SconesError

P = ParamSpec("P")
T = TypeVar("T")

ROOT = "scones_core"
FILE = "logs/app.log"  # in the home
MOST_BYTES = 5_000_000  # of a file
LONGEST = 200  # characters of a value
KEPT = 3  # files before the newest one

_SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper("iso", utc=True),
)

structlog.configure(
    processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


logging.getLogger(ROOT).addHandler(logging.NullHandler())


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: pass `__name__`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


@contextmanager
def about(**ids: Any) -> Iterator[None]:
    """Add these ids to every line of the block."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield


def known() -> dict[str, Any]:
    """The current ids, to pass to a thread that continues the work."""
    return structlog.contextvars.get_contextvars()


def use_case(work: Callable[P, T]) -> Callable[P, T]:
    """Log the end of a use case, with its arguments; lines in between carry its name."""
    log, name = get(work.__module__), f"{work.__module__.rpartition('.')[2]}.{work.__name__}"
    names = tuple(inspect.signature(work).parameters)

    @functools.wraps(work)
    def logged(*args: P.args, **kwargs: P.kwargs) -> T:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        with about(use_case=name, **{key: value for key, value in given.items() if _is_id(value)}):
            try:
                result = work(*args, **kwargs)
            except SconesError as error:
                log.warning("refused", error=str(error))
                raise
            made = next((found for key in ("id", "name") if _is_id(found := getattr(result, key, None))), result)
            log.info("done", **{"result": made} if _is_id(made) else {})
            return result

    return logged


def _is_id(value: object) -> bool:
    """Whether to log a value: no secrets, no images, nothing long."""
    return isinstance(value, int | float) or (isinstance(value, str) and 0 < len(value) <= LONGEST)


def configure(home: Path, *, as_json: bool = False, shown: bool = False) -> None:
    """Log to a rotated file in the home. Call once per process.

    shown : also print warnings to stderr.
    """
    logger = logging.getLogger(ROOT)
    if any(isinstance(handler, RotatingFileHandler) for handler in logger.handlers):
        return
    if shown:
        warnings = logging.StreamHandler(sys.stderr)
        warnings.setLevel(logging.WARNING)
        warnings.setFormatter(_formatter(as_json))
        logger.addHandler(warnings)
    file = home / FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = _File(file, maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8")
    except OSError as error:
        logger.warning("the log file cannot be written: %s", error)
        return
    kept.setFormatter(_formatter(as_json))
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class _File(RotatingFileHandler):
    """A log file that ignores write errors, such as a full disk: users see the errors elsewhere."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass


def _formatter(as_json: bool) -> logging.Formatter:
    renderer: Any = structlog.dev.ConsoleRenderer(colors=False)
    errors: list[Any] = []
    if as_json:
        renderer, errors = structlog.processors.JSONRenderer(ensure_ascii=False), [structlog.processors.format_exc_info]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *errors, renderer],
    )
