"""Debian's Firefox for Playwright: a program that stands between the two and translates.

Playwright drives an ordinary Firefox over WebDriver BiDi, but for two things. It always begins with
``emulation.setMediaFeaturesOverride``, which Firefox ESR does not know; what it asks for (light, movement) is set here
by `PREFERENCES`. And it does not tell of Firefox's own warnings; these arrive as errors, so that a test notices them.

`executable` writes a small program for Playwright to start instead of Firefox. It starts Firefox with the arguments it
was given, announces a WebSocket of its own as Firefox would, and passes messages on. Firefox ends with this program, by
its id: when Playwright lets go, when a signal comes, and (by the kernel's hand) when this program is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio
from trio_websocket import ConnectionClosed, HandshakeError, open_websocket_url, serve_websocket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from playwright.sync_api import Browser, Playwright
    from trio_websocket import WebSocketConnection, WebSocketRequest, WebSocketServer

FIREFOX: Final = shutil.which("firefox-esr") or "/usr/bin/firefox-esr"
PREFERENCES: Final[Mapping[str, bool | int | str]] = {
    "layout.css.prefers-color-scheme.content-override": 1,  # light
    "ui.prefersReducedMotion": 0,
    # Firefox itself asks nobody for anything.
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
}
UNKNOWN: Final = "emulation.setMediaFeaturesOverride"
ANNOUNCEMENT: Final = re.compile(rb"WebDriver BiDi listening on (ws://[^/\s]+)")
# A picture travels as one message.
MAX_MESSAGE_BYTES: Final = 1 << 28
# Firefox puts its profile in order when it is asked to end; Playwright throws that away at once.
END_SECONDS: Final = 5.0
PR_SET_PDEATHSIG: Final = 1


@contextlib.contextmanager
def running(playwright: Playwright, folder: Path) -> Iterator[Browser]:
    """Run a Firefox for the length of a block.

    Args:
        playwright: The driver that starts and drives it.
        folder: Where the program can be written that the driver starts.
    """
    browser = playwright.firefox.launch(
        channel="moz-firefox", executable_path=executable(folder), firefox_user_prefs=dict(PREFERENCES)
    )
    try:
        yield browser
    finally:
        browser.close()


def executable(folder: Path) -> Path:
    """Write the program that Playwright starts as Firefox, and return where it is."""
    program = folder / "firefox"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P "{Path(__file__).resolve()}" "$@"\n')
    program.chmod(0o755)
    return program


def main(arguments: list[str]) -> int:
    """Run Firefox until it ends or is not needed any more; return its exit code."""
    firefox = subprocess.Popen(
        [FIREFOX, *arguments],
        stderr=subprocess.PIPE,
        preexec_fn=_end_with_parent,  # noqa: PLW1509 # there are no threads yet that could hold a lock
    )
    try:
        trio.run(_attend, firefox)
    finally:
        firefox.terminate()
        try:
            firefox.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            firefox.kill()
            firefox.wait()
    return firefox.returncode


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


async def _attend(firefox: subprocess.Popen[bytes]) -> None:
    """Stand between the two until one of them is gone, or a signal comes."""
    assert firefox.stderr is not None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_end_on_signal, nursery.cancel_scope)
        async with trio.lowlevel.FdStream(os.dup(firefox.stderr.fileno())) as said:
            rest = b""
            async for piece in said:
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    await _hear(line, nursery)
        nursery.cancel_scope.cancel()


async def _end_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async for _ in signals:
            scope.cancel()


async def _hear(line: bytes, nursery: trio.Nursery) -> None:
    """Repeat what Firefox says, but announce another address than its own."""
    announcement = ANNOUNCEMENT.search(line)
    if announcement is None:
        sys.stderr.buffer.write(line + b"\n")
        return

    async def serve(request: WebSocketRequest) -> None:
        await _join(request, announcement[1].decode() + request.path)
        nursery.cancel_scope.cancel()

    server: WebSocketServer = await nursery.start(_listen, serve)
    sys.stderr.write(f"WebDriver BiDi listening on ws://127.0.0.1:{server.port}\n")
    sys.stderr.flush()


async def _listen(
    serve: Callable[[WebSocketRequest], Awaitable[None]], *, task_status: trio.TaskStatus[WebSocketServer]
) -> None:
    await serve_websocket(serve, "127.0.0.1", 0, None, max_message_size=MAX_MESSAGE_BYTES, task_status=task_status)


async def _join(request: WebSocketRequest, url: str) -> None:
    """Pass messages on until one side is gone."""
    driver = await request.accept()
    with contextlib.suppress(HandshakeError, ConnectionClosed):
        async with open_websocket_url(url, max_message_size=MAX_MESSAGE_BYTES) as firefox, trio.open_nursery() as both:
            both.start_soon(_commands, driver, firefox, both.cancel_scope)
            both.start_soon(_events, firefox, driver, both.cancel_scope)


async def _commands(driver: WebSocketConnection, firefox: WebSocketConnection, scope: trio.CancelScope) -> None:
    """Pass on what the driver wants; what Firefox does not know is answered here."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            message = str(await driver.get_message())
            command = json.loads(message) if UNKNOWN in message else {}
            if command.get("method") == UNKNOWN:
                await driver.send_message(json.dumps({"type": "success", "id": command["id"], "result": {}}))
            else:
                await firefox.send_message(message)
    scope.cancel()


async def _events(firefox: WebSocketConnection, driver: WebSocketConnection, scope: trio.CancelScope) -> None:
    """Pass on what Firefox says; its own warnings become errors."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            message = str(await firefox.get_message())
            if '"log.entryAdded"' in message:
                message = _without_warning(message)
            await driver.send_message(message)
    scope.cancel()


def _without_warning(message: str) -> str:
    event = json.loads(message)
    entry = event.get("params", {})
    if entry.get("type") == "javascript" and entry.get("level") == "warn":
        entry["level"] = "error"
    return json.dumps(event)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
