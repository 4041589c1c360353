"""Mail to real SMTP servers, to bad ones, and what nobody may smuggle into it."""

from __future__ import annotations

import random
import ssl
import unicodedata
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import pytest
import trio
import trustme

from app.adapters.notify import email
from app.adapters.notify.email import NOT_ASCII, NOT_CONFIGURED, Conversation, EmailChannel, Letter, SmtpServer
from app.ports.delivering import Delivery
from tests.fixtures.rondo import free_port
from tests.integration.notify.mail_servers import PASSWORD, USER, Mailroom, Script, knows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
    "X-Peer",
    "X-MailFrom",
    "X-RcptTo",
}  # fmt: skip - names


def delivery(**changes: Any) -> Delivery:
    """Return a claimed delivery."""
    values: dict[str, Any] = {
        "id": UUID(int=5),
        "term": 1,
        "attempt": 1,
        "channel": "email",
        "address": "ada@example.org",
        "message_id": "r.1.email",
        "account_name": "Ada",
        "time_zone": "Europe/Berlin",
        "task_id": UUID(int=8),
        "task_title": "Call mother",
        "task_due": "2026-11-23T12:00:00Z",
        "due_at": datetime(2026, 11, 23, 12, tzinfo=UTC),
        "late_seconds": 0.2,
        "traceparent": None,
    }
    return Delivery(**(values | changes))


def channel(url: str, sender: str = "Rondo <rondo@tasks.example>") -> EmailChannel:
    return EmailChannel(server=SmtpServer.from_url(url), sender=sender, public_url="https://tasks.example")


@pytest.fixture
def room() -> Iterator[Mailroom]:
    with Mailroom().open(enable_SMTPUTF8=True) as room:
        yield room


# --- what arrives -----------------------------------------------------------------------------------------


async def test_a_reminder_arrives_with_all_that_a_mail_needs(room: Mailroom) -> None:
    outcome = await channel(f"smtp://127.0.0.1:{room.port}").send(delivery())

    (mail,) = room.mails
    message = mail.message
    assert (outcome.result, outcome.response) == ("sent", "250 2.0.0 queued as mail-room")
    assert (mail.sender, mail.recipients) == ("rondo@tasks.example", ["ada@example.org"])
    assert (message["From"], message["To"]) == ("Rondo <rondo@tasks.example>", "Ada <ada@example.org>")
    assert (message["Subject"], message["Message-ID"]) == ("Reminder: Call mother", "<r.1.email@tasks.example>")
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_content()
    assert "Due: Monday, 23 November 2026, 13:00 (Europe/Berlin)" in body
    assert f"https://tasks.example/task/{UUID(int=8)}" in body
    assert "could not be sent then" not in body


async def test_a_late_reminder_says_so(room: Mailroom) -> None:
    await channel(f"smtp://127.0.0.1:{room.port}").send(delivery(late_seconds=3600.0, task_due="2026-11-30"))

    message = room.mails[0].message
    assert message["Subject"] == "Late reminder: Call mother"
    assert "Due: 2026-11-30" in message.get_content()
    assert "was due Monday, 23 November 2026, 13:00 (Europe/Berlin) and could not be sent" in message.get_content()


@pytest.mark.accepts("X19")
@pytest.mark.parametrize(
    "text",
    [
        "x\r\nBcc: eve@example.org",
        "x\nBcc: eve@example.org\n\nA body",
        "=?utf-8?q?x=0D=0ABcc:_eve@example.org?=",
        "=?utf-8?b?eA0KQmNjOiBldmVAZXhhbXBsZS5vcmc=?=",
        "x\u2028Bcc: eve@example.org\x85\x0bBcc: eve@example.org\x1b[31m",
        'x" <eve@example.org>, "y',
        "Ünïcödé 🎉 " * 40,
        "a" * 200,
        "boss@example.com, " + "x" * 80,
        "Smith, John (the boss) <boss@example.com>",
    ],
)
async def test_nothing_in_a_title_or_a_name_becomes_a_header(room: Mailroom, text: str) -> None:
    outcome = await channel(f"smtp://127.0.0.1:{room.port}").send(delivery(task_title=text, account_name=text[:200]))

    (mail,) = room.mails
    assert outcome.result == "sent"
    assert set(mail.message.keys()) <= HEADERS
    assert mail.recipients == ["ada@example.org"]
    assert [to.addr_spec for to in mail.message["To"].addresses] == ["ada@example.org"]
    assert mail.message["Subject"] == f"Reminder: {visible(text)}"


def visible(text: str) -> str:
    """Return a title as a mail shows it: on one line, without control characters."""
    return "".join(character for character in " ".join(text.split()) if unicodedata.category(character) != "Cc")


RUSSIAN = "Приготовить отчёт за третий квартал и отправить его Ивану Петровичу"  # noqa: RUF001 - Russian
ARABIC = "تقرير الربع الثالث إلى المدير غدا"
# What means something in a header, and what does not fit on a line.
ODD = 'milk a@b.example, <c@d.example> (e) f; "g" h: \\ =?utf-8?q?x=0D=0ABcc:_y?= =? ?= 🎉 e\u0301 日本語日本語'
WORDS = tuple(f"{RUSSIAN} {ARABIC} {ODD} {'x' * 90} {'ü' * 50}".split())
NAMES = ("", "boss@example.com, " + "x" * 80, 'O"Neil, \\ (x) <y@z>', "Jürgen Groß, Köln")


def titles(count: int) -> Iterator[str]:
    yield RUSSIAN
    dice = random.Random(3)
    for _ in range(count):
        yield " ".join(dice.choices(WORDS, k=dice.randint(1, 25)))


def test_a_title_is_read_as_it_was_written() -> None:
    for title in titles(300):
        content = written(delivery(task_title=title))
        old = message_from_bytes(content)
        new = message_from_bytes(content, policy=policy.default)

        assert str(make_header(decode_header(old["Subject"]))) == f"Reminder: {title}"
        assert new["Subject"] == f"Reminder: {title}"
        assert new.get_content().splitlines()[0] == title
        assert set(new.keys()) <= HEADERS


def test_a_name_stays_one_name_of_one_address() -> None:
    for name in (*NAMES, *(title[:200].strip() for title in titles(300))):
        content = written(delivery(account_name=name))
        (to,) = message_from_bytes(content, policy=policy.default)["To"].addresses
        ((shown, address),) = getaddresses([message_from_bytes(content)["To"].replace("\r\n", "")])

        assert (to.addr_spec, address) == ("ada@example.org", "ada@example.org")
        assert str(make_header(decode_header(shown))) == name


def written(what: Delivery) -> bytes:
    """Return the mail on the wire: seven bits, no line too long."""
    content = Letter.write(what, "Rondo <rondo@tasks.example>", "https://tasks.example").content
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 78
    return content


async def test_an_address_beyond_ascii_needs_a_server_that_knows_them(room: Mailroom) -> None:
    outcome = await channel(f"smtp://127.0.0.1:{room.port}").send(delivery(address="jürgen@exämple.org"))
    with Mailroom().open(enable_SMTPUTF8=False) as plain:
        refused = await channel(f"smtp://127.0.0.1:{plain.port}").send(delivery(address="jürgen@exämple.org"))

    assert (outcome.result, room.mails[0].recipients) == ("sent", ["jürgen@exämple.org"])
    assert "To: Ada <jürgen@exämple.org>".encode() in room.mails[0].content
    assert (refused.result, refused.response, plain.mails) == ("failed", NOT_ASCII, [])


async def test_an_address_that_no_header_can_hold_fails_with_the_reason(room: Mailroom) -> None:
    outcome = await channel(f"smtp://127.0.0.1:{room.port}").send(delivery(address="=?utf-8?q?eve=40x?=@example.org"))

    assert (outcome.result, outcome.reason, room.mails) == ("failed", "rejected", [])


async def test_without_a_mail_server_the_outcome_says_what_to_set() -> None:
    nobody = EmailChannel(server=None, sender="rondo@localhost", public_url="")

    outcome = await nobody.send(delivery())

    assert (outcome.result, outcome.response, outcome.reason) == ("failed", NOT_CONFIGURED, "not_configured")


# --- what servers answer ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "answer", "result"),
    [
        ("RCPT", "451 4.7.1 Greylisted", "retry"),
        ("RCPT", "550 5.1.1 No such user", "failed"),
        ("MAIL", "452 4.3.1 Disk full", "retry"),
        ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", "retry"),
        ("MAIL", "553 5.7.1 Sender address rejected", "retry"),
        ("DATA", "451 4.3.0 Try later", "retry"),
        ("DATA", "554 5.6.0 Looks like spam", "failed"),
    ],
)
async def test_only_a_final_refusal_of_the_message_is_final(command: str, answer: str, result: str) -> None:
    with Mailroom(refusals={command: answer}).open() as room:
        outcome = await channel(f"smtp://127.0.0.1:{room.port}").send(delivery())

    assert (outcome.result, outcome.response, outcome.reason) == (result, answer, "refused")
    assert room.mails == []


@pytest.mark.parametrize(
    ("answers", "result", "response"),
    [
        ({"GREETING": "554 5.7.1 You are blocked"}, "retry", "554 5.7.1 You are blocked"),
        ({"GREETING": "what?"}, "retry", "-1 "),
        ({"EHLO": "502 no", "HELO": "501 no"}, "retry", "501 no"),
        ({"DATA": "451 not now"}, "retry", "451 not now"),
        ({"MAIL": "421 4.3.2 Shutting down", "RCPT": "503 first MAIL"}, "retry", "421 4.3.2 Shutting down"),
        ({"QUIT": "500 I do not know that word"}, "sent", "250 OK"),
    ],
)
async def test_odd_servers(nursery: trio.Nursery, answers: dict[str, str], result: str, response: str) -> None:
    server = Script(answers=answers)
    await nursery.start(server.run)

    outcome = await channel(f"smtp://127.0.0.1:{server.port}").send(delivery())

    assert (outcome.result, outcome.response[: len(response)]) == (result, response)


async def test_nobody_at_the_port_is_tried_again() -> None:
    outcome = await channel(f"smtp://127.0.0.1:{free_port()}").send(delivery())

    assert (outcome.result, outcome.reason) == ("retry", "unreachable")
    assert "refused" in outcome.response


@pytest.mark.accepts("C26")
@pytest.mark.parametrize(
    "server", [Script(silence=frozenset({"GREETING"})), Script(silence=frozenset({"RCPT"})), Script(drip_seconds=0.05)]
)
async def test_a_tarpit_holds_neither_the_worker_nor_a_thread(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch, server: Script
) -> None:
    monkeypatch.setattr(email, "ATTEMPT_SECONDS", 0.25)
    server.gone = trio.Event()
    await nursery.start(server.run)
    mail = channel(f"smtp://127.0.0.1:{server.port}")

    outcome = await mail.send(delivery())

    assert (outcome.result, outcome.reason, outcome.response) == ("retry", "timeout", "No answer within 0.25 seconds.")
    with trio.fail_after(2):
        await server.gone.wait()
        while mail.threads.borrowed_tokens:
            await trio.sleep(0.01)


async def test_who_hangs_up_before_there_is_a_line_holds_no_thread_either(nursery: trio.Nursery) -> None:
    server = Script(silence=frozenset({"GREETING"}), gone=trio.Event())
    await nursery.start(server.run)
    letter = Letter.write(delivery(), "rondo@tasks.example", "https://tasks.example")
    talk = Conversation(SmtpServer.from_url(f"smtp://127.0.0.1:{server.port}"), letter)

    talk.hang_up()
    with trio.fail_after(5):  # half of what a greeting is waited for
        outcome = await trio.to_thread.run_sync(talk.hold)
        await server.gone.wait()

    assert outcome.result == "retry"


async def test_a_server_that_is_slow_to_say_goodbye_has_the_mail(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "ATTEMPT_SECONDS", 2.0)
    server = Script(silence=frozenset({"QUIT"}))
    await nursery.start(server.run)

    outcome = await channel(f"smtp://127.0.0.1:{server.port}").send(delivery())

    assert outcome.result == "sent"


# --- encryption and sign-in -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the authority as an operator does who adds it to the system's."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


async def test_starttls_is_used_when_it_is_offered(trusted: None, server_tls: ssl.SSLContext) -> None:
    with Mailroom().open(tls_context=server_tls) as room:
        outcome = await channel(f"smtp://127.0.0.1:{room.port}").send(delivery())
        plain = await channel(f"smtp://127.0.0.1:{room.port}?starttls=never").send(delivery())

    assert (outcome.result, plain.result) == ("sent", "sent")
    assert [mail.encrypted for mail in room.mails] == [True, False]


async def test_a_certificate_of_a_stranger_is_tried_again_with_the_reason(server_tls: ssl.SSLContext) -> None:
    with Mailroom().open(tls_context=server_tls) as room:
        outcome = await channel(f"smtp://127.0.0.1:{room.port}").send(delivery())

    assert (outcome.result, room.mails) == ("retry", [])
    assert "certificate verify failed" in outcome.response


async def test_starttls_always_sends_nothing_in_the_clear(room: Mailroom) -> None:
    outcome = await channel(f"smtp://127.0.0.1:{room.port}?starttls=always").send(delivery())

    assert (outcome.result, outcome.reason, room.mails) == ("retry", "unreachable", [])
    assert "STARTTLS" in outcome.response


async def test_smtps_is_encrypted_from_the_first_byte(trusted: None, server_tls: ssl.SSLContext) -> None:
    with Mailroom().open(ssl_context=server_tls, server_hostname="127.0.0.1") as room:
        outcome = await channel(f"smtps://127.0.0.1:{room.port}").send(delivery())

    assert outcome.result == "sent"
    assert len(room.mails) == 1


async def test_the_user_of_the_url_signs_in(trusted: None, server_tls: ssl.SSLContext) -> None:
    options: dict[str, Any] = {"tls_context": server_tls, "auth_required": True, "authenticator": knows}
    with Mailroom().open(**options) as room:
        at = f"127.0.0.1:{room.port}"
        welcome = await channel(f"smtp://{USER}:{quote(PASSWORD, safe='')}@{at}").send(delivery())
        wrong = await channel(f"smtp://{USER}:wrong@{at}").send(delivery())
        stranger = await channel(f"smtp://{at}").send(delivery())

    assert (welcome.result, room.mails[0].authenticated, len(room.mails)) == ("sent", True, 1)
    assert (wrong.result, wrong.response.partition(" ")[0]) == ("retry", "535")
    assert (stranger.result, stranger.response.partition(" ")[0]) == ("retry", "530")


async def test_a_password_beyond_ascii_is_not_a_crash(trusted: None, server_tls: ssl.SSLContext) -> None:
    with Mailroom().open(tls_context=server_tls, authenticator=knows) as room:
        outcome = await channel(f"smtp://{USER}:p%C3%A4ss@127.0.0.1:{room.port}").send(delivery())

    assert outcome.result == "retry"
    assert "ss" not in outcome.response.partition("position")[2]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", ("mail.example.org", 25, None, False, "auto")),
        ("smtp://user:p%40ss@mail.example.org", ("mail.example.org", 587, "p@ss", False, "auto")),
        ("smtps://u@mail.example.org", ("mail.example.org", 465, None, True, "auto")),
        ("smtp://mail.example.org:2525?starttls=always", ("mail.example.org", 2525, None, False, "always")),
    ],
)
def test_the_url_says_where_and_how(url: str, expected: tuple[Any, ...]) -> None:
    server = SmtpServer.from_url(url)

    assert (server.host, server.port, server.password, server.implicit_tls, server.starttls) == expected
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize("url", ["smtp://user@", "smtp://mail.example.org?starttls=maybe"])
def test_a_url_that_says_neither_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="RONDO_SMTP_URL"):
        SmtpServer.from_url(url)
