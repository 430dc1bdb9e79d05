"""The download of CIFAR-100: continued, verified, and explained when it cannot be."""

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scones_core.errors import Conflict, Damaged, Unavailable
from scones_core.sources.download import CHUNK, fetch
from scones_core.sources.model import Download, no_progress

CONTENT = bytes(range(256)) * 4_000
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `content`; knows Range unless told otherwise; breaks off after `breaks` bytes as often as it says."""

    content = CONTENT
    knows_range = True
    announces_length = True
    status = 200
    breaks: tuple[int, ...] = ()

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []

    def download(self, **options: Any) -> Download:
        return Download(f"http://127.0.0.1:{self.server_port}/cifar.tar.gz", MD5, **options)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        match = re.fullmatch(r"bytes=(\d+)-", asked or "") if self.server.knows_range else None
        start = int(match[1]) if match else 0
        if match and start >= len(self.server.content):
            self.send_error(416)
            return
        self.answer(start, partial=match is not None)

    def answer(self, start: int, *, partial: bool) -> None:
        body = self.server.content[start:]
        self.send_response(206 if partial else 200)
        if partial:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(self.server.content) - 1}/{len(self.server.content)}"
            )
        if self.server.announces_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.breaks:
            body, self.server.breaks = body[: self.server.breaks[0]], self.server.breaks[1:]
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=lambda: running.serve_forever(poll_interval=0.01))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """Where the beginning of a download is kept."""
    return tmp_path / "cifar.tar.part"


def test_progress_tells_bytes_and_the_total(server: Server, tmp_path: Path) -> None:
    steps: list[tuple[int, int | None, str]] = []
    archive = fetch(server.download(), tmp_path / "new" / "cache", lambda *step: steps.append(step))
    assert archive.read_bytes() == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT), "Downloading CIFAR-100")
    assert [done for done, _total, _what in steps] == sorted(done for done, _total, _what in steps)


def test_a_verified_archive_is_not_downloaded_again(server: Server, tmp_path: Path) -> None:
    first = fetch(server.download(), tmp_path, no_progress)
    assert fetch(server.download(), tmp_path, no_progress) == first
    assert server.asked == [None]


def test_an_archive_spoilt_in_the_cache_is_downloaded_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cifar.tar.gz").write_bytes(b"spoilt")
    assert fetch(server.download(), tmp_path, no_progress).read_bytes() == CONTENT


def test_an_interrupted_download_continues_where_it_was(server: Server, tmp_path: Path, part: Path) -> None:
    part.write_bytes(CONTENT[:300_000])
    assert fetch(server.download(), tmp_path, no_progress).read_bytes() == CONTENT
    assert server.asked == ["bytes=300000-"]
    assert not part.exists()


def test_a_connection_that_breaks_is_taken_up_again_at_once(server: Server, tmp_path: Path) -> None:
    server.breaks = (6 * CHUNK, 3 * CHUNK)
    assert fetch(server.download(), tmp_path, no_progress).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={6 * CHUNK}-", f"bytes={9 * CHUNK}-"]


def test_a_connection_that_keeps_breaking_leaves_the_part_for_the_next_time(
    server: Server, tmp_path: Path, part: Path
) -> None:
    server.breaks = (9 * CHUNK, 0)
    with pytest.raises(Unavailable, match=r"broke off after 1 MB; run it again to continue, or give the archive"):
        fetch(server.download(), tmp_path, no_progress)
    assert part.stat().st_size == 9 * CHUNK
    assert fetch(server.download(), tmp_path, no_progress).read_bytes() == CONTENT


def test_a_server_that_cannot_continue_is_read_from_the_beginning(server: Server, tmp_path: Path, part: Path) -> None:
    server.knows_range = False
    part.write_bytes(b"another beginning")
    assert fetch(server.download(), tmp_path, no_progress).read_bytes() == CONTENT
    assert len(server.asked) == 1


@pytest.mark.parametrize("beginning", [b"another", CONTENT + b"too long", CONTENT])
def test_a_part_that_is_not_the_beginning_is_thrown_away(
    server: Server, tmp_path: Path, part: Path, beginning: bytes
) -> None:
    part.write_bytes(beginning)
    assert fetch(server.download(), tmp_path, no_progress).read_bytes() == CONTENT


def test_another_content_is_refused_and_not_kept(server: Server, tmp_path: Path, part: Path) -> None:
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(Damaged, match="is not the published CIFAR-100"):
        fetch(server.download(), tmp_path, no_progress)
    assert not part.exists()
    assert not (tmp_path / "cifar.tar.gz").exists()


def test_an_answer_without_end_is_cut_off(server: Server, tmp_path: Path, part: Path) -> None:
    server.announces_length = False
    with pytest.raises(Damaged, match="larger than CIFAR-100"):
        fetch(server.download(most_bytes=500_000), tmp_path, no_progress)
    assert part.stat().st_size == 0


def test_an_answer_of_unknown_length_is_taken(server: Server, tmp_path: Path) -> None:
    server.announces_length = False
    assert fetch(server.download(), tmp_path, no_progress).read_bytes() == CONTENT


def test_offline_the_user_learns_what_to_do_instead(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        offline = Download(f"http://127.0.0.1:{unused.getsockname()[1]}/cifar.tar.gz", MD5)
        with pytest.raises(Unavailable) as told:
            fetch(offline, tmp_path, no_progress)
    assert str(told.value) == (
        "CIFAR-100 cannot be downloaded, as 127.0.0.1 cannot be reached from here; "
        "give the archive as a file, or use the generated sample (source “sample”)."
    )


def test_a_server_that_refuses_is_quoted(server: Server, tmp_path: Path) -> None:
    server.status = 503
    with pytest.raises(Unavailable, match=r"refuses \(HTTP 503\); try later, or give the archive as a file"):
        fetch(server.download(), tmp_path, no_progress)


def test_a_server_that_falls_silent_is_given_up(server: Server, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/cifar.tar.gz"
        with pytest.raises(Unavailable):
            fetch(Download(url, MD5, timeouts=(0.2, 0.2)), tmp_path, no_progress)


def test_a_cache_that_cannot_be_written_is_named_as_the_reason(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(Unavailable, match=r"cannot be stored \(file exists\); give the archive as a file"):
        fetch(server.download(), tmp_path / "cache", no_progress)


def test_two_downloads_at_once_do_not_write_into_each_other(server: Server, tmp_path: Path) -> None:
    refused: list[Exception] = []

    def again(done: int, total: int | None, what: str) -> None:
        if not refused:
            with pytest.raises(Conflict, match="is being downloaded already") as error:
                fetch(server.download(), tmp_path, no_progress)
            refused.append(error.value)

    assert fetch(server.download(), tmp_path, again).read_bytes() == CONTENT
    assert refused
