"""The names of ASGI 3 that the edge and the applications behind it share.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

Headers = list[tuple[bytes, bytes]]
"""Names in lower case, in the order of the wire."""
ClientAddress = tuple[str, int]

VERSION: Final[dict[str, str]] = {"version": "3.0", "spec_version": "2.4"}
DISCONNECT: Final = "http.disconnect"


class ClientDisconnectedError(OSError):
    """Nobody reads this response any more.

    Raised by `send`, as ASGI asks, so that an endless stream ends when its reader is gone.
    """


def is_only(error: BaseException, kind: type[BaseException] | tuple[type[BaseException], ...]) -> bool:
    """Tell whether `error` is of this kind, or a group in which everything is."""
    if isinstance(error, BaseExceptionGroup):
        return error.split(kind)[1] is None
    return isinstance(error, kind)
