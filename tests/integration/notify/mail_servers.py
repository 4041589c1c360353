"""Mail servers to talk to: a real one (aiosmtpd), and one that says line for line what a test wants."""

# flake8: noqa: ASYNC910
# aiosmtpd's handlers are asyncio's; the other server waits where it reads.

from __future__ import annotations

import contextlib
import email
import email.policy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from tests.fixtures.rondo import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from email.message import EmailMessage

USER, PASSWORD = "rondo", "pa:ss w@rd"


@dataclass(kw_only=True)
class Mail:
    """One mail that was taken in."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool
    authenticated: bool

    @property
    def message(self) -> EmailMessage:
        message = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(message, email.message.EmailMessage)
        return message


@dataclass(kw_only=True)
class Mailroom:
    """Takes mail in, or answers one command with a refusal."""

    port: int = field(default_factory=free_port)
    refusals: Mapping[str, str] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.refusals.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.refusals.get("RCPT", "250 OK")

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if "DATA" in self.refusals:
            return self.refusals["DATA"]
        self.mails.append(
            Mail(
                sender=envelope.mail_from,
                recipients=envelope.rcpt_tos,
                content=envelope.content,
                encrypted=session.ssl is not None,
                authenticated=bool(session.authenticated),
            )
        )
        return "250 2.0.0 queued as mail-room"

    @contextlib.contextmanager
    def open(self, **options: Any) -> Iterator[Mailroom]:
        """Serve for the length of a block."""
        controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()


def knows(_server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    """Let our one user in."""
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)


@dataclass(kw_only=True)
class Script:
    """Answers each command as told; ``silence`` ones never, ``drip`` puts a pause behind each byte."""

    answers: Mapping[str, str] = field(default_factory=dict)
    silence: frozenset[str] = frozenset()
    drip_seconds: float = 0.0
    port: int = 0
    gone: trio.Event = field(default_factory=trio.Event)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listener.socket.getsockname()[1]
        task_status.started()
        await trio.serve_listeners(self._talk, [listener])

    async def _talk(self, stream: trio.SocketStream) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            await self._say(stream, "GREETING")
            buffer = b""
            while data := await stream.receive_some():
                buffer += data
                while b"\r\n" in buffer:
                    line, _, buffer = buffer.partition(b"\r\n")
                    await self._say(stream, line.decode().partition(" ")[0].upper() if line != b"." else "END")
        self.gone.set()

    async def _say(self, stream: trio.SocketStream, verb: str) -> None:
        usual = {"GREETING": "220 hi", "DATA": "354 go on", "QUIT": "221 bye"}
        known = {*usual, "EHLO", "HELO", "MAIL", "RCPT", "RSET", "END", *self.answers}
        if verb in self.silence or verb not in known:
            return
        for byte in (self.answers.get(verb) or usual.get(verb, "250 OK")).encode() + b"\r\n":
            await stream.send_all(bytes([byte]))
            if self.drip_seconds:
                await trio.sleep(self.drip_seconds)
