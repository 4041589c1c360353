"""Which passwords are good enough: long, not among the first that are guessed, not saying whose they are.

Any Unicode, no rules of composition, no truncation (OWASP ASVS 5.0, 6.2). Hashing is an adapter's work.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Final

from app.domain.checks import storable
from app.domain.errors import PasswordRefusedError

LEAST_CHARACTERS: Final = 8
MOST_CHARACTERS: Final = 1024
# Fewer different characters than this is a pattern: aaaaaaaa, abababab.
LEAST_DIFFERENT: Final = 4
# Shorter words are found in honest passwords by chance.
_CONTEXT_CHARACTERS: Final = 3


def normalised(password: str) -> str:
    """Return the form that is hashed: the same password typed on another keyboard is the same (NFKC, RFC 8265)."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *, email: str, name: str = "", field: str = "password") -> None:
    """Refuse a password that is not good enough for this account; `field` is what it is called on the wire.

    Raises:
        PasswordRefusedError: Says what is wrong with it.
    """
    if not storable(password):
        raise PasswordRefusedError("invalid", "Contains half of a character, or NUL.", field)
    text = normalised(password)
    if len(text) < LEAST_CHARACTERS:
        raise PasswordRefusedError("too_short", f"Must have at least {LEAST_CHARACTERS} characters.", field)
    if len(text) > MOST_CHARACTERS:
        raise PasswordRefusedError("too_long", f"Must have at most {MOST_CHARACTERS} characters.", field)
    folded = text.casefold()
    if folded in _common() or len(set(folded)) < LEAST_DIFFERENT:
        raise PasswordRefusedError("too_common", "Is among the first that are guessed.", field)
    if len(_without(folded, _context_words(email, name))) < LEAST_CHARACTERS:
        message = "Is made of your name, your address or the name of this service."
        raise PasswordRefusedError("too_obvious", message, field)


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    lines = files("app.domain").joinpath("common_passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))


def _context_words(email: str, name: str) -> list[str]:
    local, _, domain = email.casefold().rpartition("@")
    words = {
        "rondo",
        email.casefold(),
        local,
        domain,
        domain.partition(".")[0],
        name.casefold(),
        *name.casefold().split(),
    }
    return sorted((word for word in words if len(word) >= _CONTEXT_CHARACTERS), key=len, reverse=True)


def _without(text: str, words: Iterable[str]) -> str:
    for word in words:
        text = text.replace(word, "")
    return text
