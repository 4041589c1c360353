"""Reminders by mail: a real SMTP conversation in a worker thread, with a deadline, answered in an outcome.

``smtplib`` blocks, so each message has a thread of its own from a small limiter. There is no well-kept SMTP client for
trio; one conversation of some hundred milliseconds does not need one. What takes too long is hung up, so that a server
that drips bytes for ever holds no thread. At least once: when the process dies between
the server's 250 and our record, the same message goes out again under the same Message-ID (RFC 5322 3.6.4), which
lets the receiver recognise it.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import trio

from app.ports.delivering import Outcome

if TYPE_CHECKING:
    from app.ports.delivering import Delivery

# One attempt, connect to QUIT. Tarpits answer slowly on purpose; the worker must not wait with them (C26).
ATTEMPT_SECONDS: Final = 30.0
SOCKET_SECONDS: Final = 10.0
# A reminder that is later than this says so, since "now" would be a lie.
LATE_SECONDS: Final = 15 * 60
NOT_CONFIGURED: Final = "No mail server is configured (RONDO_SMTP_URL)."
NOT_ASCII: Final = "The mail server cannot send to addresses that are not ASCII."
# Longer lines are folded (RFC 5322 2.1.1).
LINE_CHARACTERS: Final = 78
# Bodies of seven bits, since not every server takes eight (RFC 6152 3). Headers stay as they are folded here: where
# ``email`` of Python 3.11 folds, it loses spaces between words, and the quotes around a name.
WIRE: Final = policy.SMTP.clone(cte_type="7bit", refold_source="none")
STARTTLS_CHOICES: Final = ("auto", "always", "never")
# "Authenticate or encrypt first" (RFC 4954 6, RFC 3207 4): it speaks of the settings, not of the message.
SETTINGS_CODES: Final = frozenset({530, 534, 535, 538})


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where and how mail is handed over; made from ``RONDO_SMTP_URL``."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    implicit_tls: bool = False
    starttls: str = "auto"

    @classmethod
    def from_url(cls, url: str) -> SmtpServer:
        """Read ``smtp[s]://[user[:password]@]host[:port][?starttls=auto|always|never]``.

        Raises:
            ValueError: no host, or a ``starttls`` that is none of the three.
        """
        parts = urlsplit(url)
        starttls = parse_qs(parts.query).get("starttls", ["auto"])[0]
        if not parts.hostname or starttls not in STARTTLS_CHOICES:
            raise ValueError("RONDO_SMTP_URL needs a host, and ?starttls= is one of auto, always, never.")
        implicit = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if implicit else 587 if parts.username else 25),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            implicit_tls=implicit,
            starttls=starttls,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChannel:
    """Implements ``app.ports.delivering.Channel`` over SMTP."""

    server: SmtpServer | None
    sender: str
    public_url: str
    name: str = "email"
    threads: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(4))

    async def send(self, delivery: Delivery) -> Outcome:
        """See the port. Without a mail server every delivery fails at once and says why."""
        await trio.lowlevel.checkpoint()
        if self.server is None:
            return Outcome(result="failed", response=NOT_CONFIGURED, reason="not_configured")
        try:
            letter = Letter.write(delivery, self.sender, self.public_url)
        except (ValueError, MessageError) as problem:
            return Outcome(result="failed", response=f"The mail cannot be written: {problem}", reason="rejected")
        conversation, known = Conversation(self.server, letter), None
        with trio.move_on_after(ATTEMPT_SECONDS):
            try:
                return await trio.to_thread.run_sync(conversation.hold, abandon_on_cancel=True, limiter=self.threads)
            finally:
                known = conversation.outcome  # asked before the end is ours
                conversation.hang_up()
        late = Outcome(result="retry", response=f"No answer within {ATTEMPT_SECONDS:g} seconds.", reason="timeout")
        return known or late


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail as it goes over the wire, and its envelope."""

    sender: str
    recipient: str
    content: bytes

    @classmethod
    def write(cls, delivery: Delivery, sender: str, public_url: str) -> Letter:
        """Write the mail of a delivery.

        Raises:
            ValueError: An address cannot stand in a header.
            MessageError: Likewise, found later.
        """
        envelope = parseaddr(sender)[1], delivery.address
        international = not "".join(envelope).isascii()
        message = compose(delivery, sender, public_url)
        content = message.as_bytes(policy=WIRE.clone(utf8=international))
        return cls(sender=envelope[0], recipient=envelope[1], content=content)

    @property
    def international(self) -> bool:
        """Tell whether the server must know SMTPUTF8 (RFC 6531)."""
        return not (self.sender + self.recipient).isascii()


def compose(delivery: Delivery, sender: str, public_url: str) -> EmailMessage:
    """Return the mail for a delivery. Nothing in a title or a name can become a header.

    Raises:
        ValueError: An address cannot stand in a header.
    """
    title = _one_line(delivery.task_title)
    name, address = parseaddr(sender)
    message = EmailMessage(policy=WIRE)
    message.set_raw("From", _mailbox("From", name, address))
    message.set_raw("To", _mailbox("To", delivery.account_name, delivery.address))
    late = delivery.late_seconds > LATE_SECONDS
    message.set_raw("Subject", _text_of("Subject", f"Late reminder: {title}" if late else f"Reminder: {title}"))
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{delivery.message_id}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(_lines(delivery, title, public_url)))
    return message


def _mailbox(header: str, name: str, address: str) -> str:
    """Return an address for a header; taken apart here, since the parser of ``email`` refuses what is not ASCII."""
    if "=?" in address:
        raise ValueError(f"{address} would be read as something else")
    username, _, domain = address.rpartition("@")
    name = _one_line(name)
    mailbox = str(Address(display_name=name, username=username, domain=domain))
    if not name or _means_itself(name, f"{header}: {mailbox}"):
        return mailbox
    return f"{_encoded(header, name)}\n <{Address(username=username, domain=domain).addr_spec}>"


def _text_of(header: str, text: str) -> str:
    return text if _means_itself(text, f"{header}: {text}") else _encoded(header, text)


def _means_itself(text: str, line: str) -> bool:
    """Tell whether a text can stand as it is: ``=?utf-8?q?a=0D=0ABcc:_…?=`` would be read as something else."""
    return text.isascii() and "=?" not in text and len(line) <= LINE_CHARACTERS


def _encoded(header: str, text: str) -> str:
    """Return the text in encoded words (RFC 2047), folded: a name as well, since they hold no character of syntax."""
    return Header(text, "utf-8", header_name=header).encode()


def _one_line(text: str) -> str:
    """Return the text without line breaks and control characters."""
    return "".join(character for character in " ".join(text.split()) if unicodedata.category(character) != "Cc")


def _lines(delivery: Delivery, title: str, public_url: str) -> list[str]:
    lines = [title, ""]
    if delivery.task_due is not None:
        lines.append(f"Due: {_spoken(delivery.task_due, delivery.time_zone)}")
    if delivery.late_seconds > LATE_SECONDS:
        lines.append(
            f"This reminder was due {_spoken(delivery.due_at.isoformat(), delivery.time_zone)}"
            " and could not be sent then."
        )  # fmt: skip - one sentence
    return [*lines, "", f"{public_url}/task/{delivery.task_id}"]


def _spoken(moment: str, time_zone: str) -> str:
    """Say an instant on the wall clock of the person, and a date as it is."""
    if "T" not in moment:
        return moment
    local = datetime.fromisoformat(moment).astimezone(ZoneInfo(time_zone))
    return f"{local:%A, %d %B %Y, %H:%M} ({time_zone})"


class Conversation:
    """One talk with a mail server. ``hold`` runs in a thread, ``hang_up`` may be called from another.

    Attributes:
        outcome: What became of the letter, as soon as that is known.
    """

    def __init__(self, server: SmtpServer, letter: Letter) -> None:
        self._server = server
        self._letter = letter
        self._client: smtplib.SMTP | None = None
        self._over = False
        self.outcome: Outcome | None = None

    def hold(self) -> Outcome:
        """Hand the letter over. A final refusal of this message is 5xx (RFC 5321 4.2.1); all else is tried again."""
        try:
            client = self._connect()
        except smtplib.SMTPResponseException as refusal:
            # A wrong password or a blocked address is the operator's to mend; the mail must not be lost over it.
            return _retry(refusal.smtp_code, refusal.smtp_error)
        except (smtplib.SMTPException, OSError, UnicodeError) as problem:
            return _unreachable(problem)
        with contextlib.closing(client):
            self.outcome = self._hand_over(client)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()  # what it answers changes nothing
            return self.outcome

    def hang_up(self) -> None:
        """Let whatever the talk waits for end now. Harmless when it is over."""
        self._over = True
        line = getattr(self._client, "sock", None)
        if line is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)  # the plain one: under TLS as well

    def _connect(self) -> smtplib.SMTP:
        server, context = self._server, ssl.create_default_context()
        self._client = client = (
            smtplib.SMTP_SSL(timeout=SOCKET_SECONDS, context=context)
            if server.implicit_tls
            else smtplib.SMTP(timeout=SOCKET_SECONDS)
        )
        client._host = server.host  # type: ignore[attr-defined] # noqa: SLF001 # the name TLS checks
        try:
            self._greet(client, context)
        except BaseException:
            client.close()
            raise
        return client

    def _dial(self, client: smtplib.SMTP, context: ssl.SSLContext) -> None:
        """Connect; not by ``smtplib``, which tells of the socket only when the greeting or TLS has been waited for."""
        server = self._server
        client.sock = socket.create_connection((server.host, server.port), SOCKET_SECONDS)
        if server.implicit_tls:
            client.sock = line = context.wrap_socket(
                client.sock, server_hostname=server.host, do_handshake_on_connect=False
            )
        # Who hangs up from here on finds the socket; who did so before is found here.
        if self._over:
            raise smtplib.SMTPServerDisconnected("hung up")
        if server.implicit_tls:
            line.do_handshake()

    def _greet(self, client: smtplib.SMTP, context: ssl.SSLContext) -> None:
        self._dial(client, context)
        code, said = client.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        client.ehlo_or_helo_if_needed()
        offered = client.has_extn("starttls") and self._server.starttls == "auto"
        if not self._server.implicit_tls and (offered or self._server.starttls == "always"):
            client.starttls(context=context)
        if self._server.user is not None:
            client.login(self._server.user, self._server.password or "")
        client.ehlo_or_helo_if_needed()

    def _hand_over(self, client: smtplib.SMTP) -> Outcome:
        if self._letter.international and not client.has_extn("smtputf8"):
            return Outcome(result="failed", response=NOT_ASCII, reason="refused")
        try:
            code, said = self._dictate(client)
        except smtplib.SMTPSenderRefused as refusal:
            return _retry(refusal.smtp_code, refusal.smtp_error)
        except smtplib.SMTPResponseException as refusal:
            return _answer(refusal.smtp_code, refusal.smtp_error)
        except (smtplib.SMTPException, OSError) as problem:
            return _unreachable(problem)
        if code == 250:
            return Outcome(result="sent", response=f"{code} {_text(said)}")
        return _answer(code, said)

    def _dictate(self, client: smtplib.SMTP) -> tuple[int, bytes]:
        """MAIL, RCPT, DATA by hand, not ``send_message``: that one hides what the server said in the end.

        Raises:
            SMTPSenderRefused: The sender is the installation's: the operator's to mend, as a wrong password is.
        """
        letter = self._letter
        code, said = client.mail(letter.sender, ["SMTPUTF8", "BODY=8BITMIME"] if letter.international else [])
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, said, letter.sender)
        code, said = client.rcpt(letter.recipient)
        if code not in (250, 251):
            return code, said
        return client.data(letter.content)


def _unreachable(problem: Exception) -> Outcome:
    return Outcome(result="retry", response=str(problem) or type(problem).__name__, reason="unreachable")


def _answer(code: int, said: bytes | str) -> Outcome:
    if code < 500 or code in SETTINGS_CODES:
        return _retry(code, said)
    return Outcome(result="failed", response=f"{code} {_text(said)}", reason="refused")


def _retry(code: int, said: bytes | str) -> Outcome:
    return Outcome(result="retry", response=f"{code} {_text(said)}", reason="refused")


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
