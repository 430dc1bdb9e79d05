"""Server startup and shutdown."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

from scones_core import logs
from scones_core.errors import SconesError
from scones_core.settings import Settings
from scones_core.ui.shell.session import get_app

SCRIPT = Path(__file__).with_name("script.py")

log = logs.get(__name__)


def refuse_strangers() -> None:
    """Exit if the app would be reachable from other machines without sign-in."""
    address = st.get_option("server.address")
    if _is_loopback(address) or _has_sign_in() or Settings.read().without_sign_in:
        return
    raise SystemExit(
        f"Scones Unlimited does not start: it would be reachable from other machines ({address or 'all addresses'}) "
        "without sign-in. Configure sign-in (section auth of .streamlit/secrets.toml), or start with "
        "--server.address=127.0.0.1. If a proxy restricts access already, set SCONES_WITHOUT_SIGN_IN=true."
    )


@asynccontextmanager
async def lifespan(_server: st.App) -> AsyncIterator[None]:
    """Open the app when the server starts, so that unfinished work resumes at once; close it when the server stops."""
    opening = asyncio.create_task(asyncio.to_thread(_open))
    yield
    await opening
    await asyncio.to_thread(get_app.clear)


def _open() -> None:
    try:
        get_app()
    except SconesError as error:  # each page says so
        log.warning("app not opened", error=str(error))


def _is_loopback(address: str | None) -> bool:
    try:
        return address == "localhost" or ipaddress.ip_address(address or "0.0.0.0").is_loopback
    except ValueError:  # the name of a host
        return False


def _has_sign_in() -> bool:
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets
