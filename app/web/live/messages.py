"""What a client may say on the WebSocket."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

MAX_POSITION: Final = 2**63 - 1


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """``{"type": "ping"}``, answered with pong."""


class Resume(msgspec.Struct, frozen=True, tag_field="type", tag="resume"):
    """``{"type": "resume", "since": position}``: send everything behind that position again."""

    since: Annotated[int, msgspec.Meta(ge=0, le=MAX_POSITION)]


class Authenticate(msgspec.Struct, frozen=True, tag_field="type", tag="authenticate"):
    """``{"type": "authenticate", "token": …}``, the first message when neither header nor cookie said who it is."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


Message = Ping | Resume | Authenticate
_DECODER: Final = msgspec.json.Decoder(Message)


class MessageError(ValueError):
    """A message we do not understand; ``code`` is stable, the text says what was expected."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


def read_message(raw: str | bytes) -> Message:
    """Return the client's message.

    Raises:
        MessageError: not JSON, not one of the three, or a field of the wrong kind.
    """
    if isinstance(raw, bytes):
        raise MessageError("not_text", "Messages are JSON in text frames.")
    try:
        message: Message = _DECODER.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as problem:
        raise MessageError("invalid_message", f"Expected authenticate, resume or ping: {problem}") from None
    return message


def kind(message: Message) -> str:
    """Return the message's ``type`` as it stands on the wire."""
    return {Ping: "ping", Resume: "resume", Authenticate: "authenticate"}[type(message)]
