"""Takes secrets out of what is about to be written down.

By key (a field called `password` is never written) and by pattern (a bearer token inside a
message or a stack trace). Query strings keep their names and lose their values. The last line
of defence, not the first: code does not log secrets.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

REDACTED = "[redacted]"

_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_SECRET_WORDS = frozenset(
    {
        "password",
        "passwd",
        "passphrase",
        "authorization",
        "cookie",
        "cookies",
        "secret",
        "token",
        "apikey",
        "credential",
    }
)
# `tokenId` names a token and does not contain it.
_HARMLESS_LAST_WORDS = frozenset({"id", "ids", "count", "kind", "type", "name"})
_PATTERNS = (
    # JSON Web Tokens: three base64url parts, the first two JSON objects.
    (re.compile(r"\beyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]*"), REDACTED),
    # Our own bearer tokens: 43 characters of base64url.
    (re.compile(r"rondo_[\w-]{43,}"), REDACTED),
    # Credentials of an Authorization header. "basic" is also a word: Base64 has a digit or a capital.
    (re.compile(r"\b(bearer|basic)\s+(?=\S*(?-i:[A-Z0-9]))[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    # `password=…`, `"token": "…"`, `Set-Cookie: …` inside text.
    (
        re.compile(
            r"((?:password|passwd|secret|token|api[_-]?key|authorization|cookie)[\"']?\s*[=:]\s*)"
            r"(?!\[redacted\]|(?:bearer|basic)\s)(\"[^\"]*\"|'[^']*'|[^\s,;&\"'})\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # User and password inside a URL.
    (re.compile(r"(\w://)[^\s/@]+@"), rf"\1{REDACTED}@"),
    # Password hashes and private keys.
    (re.compile(r"\$argon2\w*\$[^\s\"']+"), REDACTED),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), REDACTED),
)
_QUERY = re.compile(r"(?<=[\w/])\?([^\s#\"'<>=]+=[^\s#\"'<>]*)")
# A text with none of these characters can match no pattern above, and most texts have none.
_SUSPICIOUS = re.compile(r"[=:$]|eyJ|rondo_|bearer|basic|-----", re.IGNORECASE)
# Ids, addresses and instants, which every line has: hexadecimal digits and dots hold no secret and need no search.
_HARMLESS = re.compile(r"[0-9a-fA-F.:-]{1,64}")
# Deeper than any record of ours; a cycle ends here too.
_MAX_DEPTH = 6


@lru_cache(maxsize=1_000)  # fields are named by the code, a few hundred of them
def is_secret(key: str) -> bool:
    """Return whether a field of this name must never be written: `Set-Cookie`, `newPassword`, `api_key`."""
    words = [word.lower() for word in _WORDS.findall(key)]
    if not words or (words[-1] in _HARMLESS_LAST_WORDS and words[0] not in {"password", "authorization"}):
        return False
    return not _SECRET_WORDS.isdisjoint(words) or "apikey" in "".join(words)


def redact_text(text: str) -> str:
    """Return the text without tokens, passwords, keys and values of query strings."""
    if _HARMLESS.fullmatch(text) or not _SUSPICIOUS.search(text):
        return text
    text = _QUERY.sub(_names_only, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_fields(fields: Mapping[str, object], depth: int = 0) -> dict[str, object]:
    """Return the fields with secrets replaced, at every depth."""
    redacted: dict[str, object] = {}
    for key, value in fields.items():
        name = str(key)
        if value is not None and is_secret(name):
            redacted[name] = REDACTED
        elif isinstance(value, str) and _HARMLESS.fullmatch(value):  # most are ids: every request has two
            redacted[name] = value
        else:
            redacted[name] = _redact(value, depth)
    return redacted


def _redact(value: object, depth: int) -> object:
    match value:
        case str():
            return redact_text(value)
        case bytes():
            return redact_text(value.decode("utf-8", "backslashreplace"))
        case None | bool() | int() | float():
            return value
        case Mapping() if depth < _MAX_DEPTH:
            return redact_fields(value, depth + 1)
        case list() | tuple() | set() | frozenset() if depth < _MAX_DEPTH:
            return [_redact(one, depth + 1) for one in value]
        case _:
            return redact_text(str(value))


def _names_only(match: re.Match[str]) -> str:
    pairs = match.group(1).split("&")
    return "?" + "&".join(f"{name}=…" for name in (pair.partition("=")[0] for pair in pairs))
