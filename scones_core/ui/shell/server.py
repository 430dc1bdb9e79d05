"""Server startup and shutdown. The app's modules are imported behind it, so that the server answers soon."""

import asyncio
import importlib
import ipaddress
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

WARM_AFTER = 3.0  # seconds: the first page comes first
WARMED = ("pandas", "altair", "scones_core.ui.overview.demo_stages")  # what the other pages need, and takes long
SCRIPT = Path(__file__).with_name("script.py")


def refuse_strangers() -> None:
    """Exit if the app would be reachable from other machines without sign-in."""
    address = st.get_option("server.address")
    if _is_loopback(address) or _has_sign_in():
        return
    from scones_core.settings import Settings

    if Settings.read().without_sign_in:
        return
    raise SystemExit(
        f"Scones Unlimited does not start: it would be reachable from other machines ({address or 'all addresses'}) "
        "without sign-in. Configure sign-in (section auth of .streamlit/secrets.toml), or start with "
        "--server.address=127.0.0.1. If a proxy restricts access already, set SCONES_WITHOUT_SIGN_IN=true."
    )


@asynccontextmanager
async def lifespan(_server: st.App) -> AsyncIterator[None]:
    """Open the app when the server starts, so that unfinished work resumes at once; close it when the server stops."""
    ending = threading.Event()
    opening = asyncio.create_task(asyncio.to_thread(_open, ending))
    yield
    ending.set()
    await opening
    await asyncio.to_thread(_close)


def _open(ending: threading.Event) -> None:
    from scones_core import logs
    from scones_core.errors import SconesError
    from scones_core.ui.shell.session import main_app

    try:
        main_app()
    except SconesError as error:  # each page says so
        logs.get(__name__).warning("app not opened", error=str(error))
    if not ending.wait(WARM_AFTER):
        for module in WARMED:
            importlib.import_module(module)


def _close() -> None:
    from scones_core.ui.shell.session import demo_home, main_app

    demo_home.clear()
    main_app.clear()


def _is_loopback(address: str | None) -> bool:
    try:
        return address == "localhost" or ipaddress.ip_address(address or "0.0.0.0").is_loopback
    except ValueError:  # the name of a host
        return False


def _has_sign_in() -> bool:
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets
