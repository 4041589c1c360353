"""Reminders by mail: a real SMTP conversation in a worker thread, with a deadline, answered in an outcome.

``smtplib`` blocks, so each message has a thread of its own from a small limiter. There is no well-kept SMTP client for
trio; one conversation of some hundred milliseconds does not need one. At least once: when the process dies between
the server's 250 and our record, the same message goes out again under the same Message-ID (RFC 5322 3.6.4), which
lets the receiver recognise it.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
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
STARTTLS_CHOICES: Final = ("auto", "always", "never")


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
        if self.server is None:
            return Outcome(result="failed", response=NOT_CONFIGURED, reason="not_configured")
        message = compose(delivery, self.sender, self.public_url)
        with trio.move_on_after(ATTEMPT_SECONDS):
            return await trio.to_thread.run_sync(
                _converse, self.server, message, abandon_on_cancel=True, limiter=self.threads
            )
        return Outcome(result="retry", response=f"No answer within {ATTEMPT_SECONDS:.0f} seconds.", reason="timeout")


def compose(delivery: Delivery, sender: str, public_url: str) -> EmailMessage:
    """Return the mail for a delivery. Line breaks in a title cannot become headers."""
    title = " ".join(delivery.task_title.split())
    name, address = parseaddr(sender)
    message = EmailMessage()
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = Address(display_name=" ".join(delivery.account_name.split()), addr_spec=delivery.address)
    message["Subject"] = f"Reminder: {title}" if delivery.late_seconds <= LATE_SECONDS else f"Late reminder: {title}"
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{delivery.message_id}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(_lines(delivery, title, public_url)))
    return message


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


def _converse(server: SmtpServer, message: EmailMessage) -> Outcome:
    """Hand one message over. Runs in a thread. 5xx answers are final, all else is tried again (RFC 5321 4.2.1)."""
    try:
        with _connect(server) as client:
            return _hand_over(client, message)
    except smtplib.SMTPAuthenticationError as refusal:
        # A wrong password is the operator's to mend, and the mail must not be lost over it.
        return Outcome(result="retry", response=f"{refusal.smtp_code} {_text(refusal.smtp_error)}")
    except smtplib.SMTPResponseException as refusal:
        return _answer(refusal.smtp_code, refusal.smtp_error)
    except (smtplib.SMTPException, OSError) as problem:
        return Outcome(result="retry", response=str(problem) or type(problem).__name__, reason="unreachable")


def _hand_over(client: smtplib.SMTP, message: EmailMessage) -> Outcome:
    """MAIL, RCPT, DATA by hand, not ``send_message``: that one hides what the server said in the end."""
    client.ehlo_or_helo_if_needed()
    sender, recipient = parseaddr(str(message["From"]))[1], parseaddr(str(message["To"]))[1]
    international = not (sender + recipient).isascii()
    if international and not client.has_extn("smtputf8"):
        return Outcome(result="failed", response=NOT_ASCII, reason="refused")
    options = ["SMTPUTF8", "BODY=8BITMIME"] if international else []
    for code, said in (client.mail(sender, options), client.rcpt(recipient)):
        if code not in (250, 251):
            return _answer(code, said)
    code, said = client.data(message.as_bytes(policy=policy.SMTPUTF8 if international else policy.SMTP))
    return Outcome(result="sent", response=f"{code} {_text(said)}") if code == 250 else _answer(code, said)


def _connect(server: SmtpServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.implicit_tls:
        client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=SOCKET_SECONDS, context=context)
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=SOCKET_SECONDS)
        client.ehlo()
        if server.starttls == "always" or (server.starttls == "auto" and client.has_extn("starttls")):
            client.starttls(context=context)
    if server.user is not None:
        client.login(server.user, server.password or "")
    return client


def _answer(code: int, said: bytes | str) -> Outcome:
    return Outcome(result="failed" if code >= 500 else "retry", response=f"{code} {_text(said)}", reason="refused")


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
