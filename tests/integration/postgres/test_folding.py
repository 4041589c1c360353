"""What a search folds (migration 0015) is what Unicode says of canonical caseless matching, whichever way it takes."""

from __future__ import annotations

import random
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.adapters.postgres import Database

FOLDED = "SELECT text, folded(text) AS folded FROM unnest($1::text[]) AS text WHERE unicode_assigned(text)"
CHEROKEE = (range(0x13A0, 0x1400), range(0xAB70, 0xABC0))  # Unicode folds it to capitals, PostgreSQL to small letters
ASSIGNED = [
    char
    for char in map(chr, range(1, 0x110000))
    if unicodedata.category(char) not in {"Cn", "Cs", "Co"} and not any(ord(char) in block for block in CHEROKEE)
]
# Letters of all kinds beside marks that compose with them, and the two that need more than lower case.
MIXED = (
    "aeioAEIO\u00df\u03c2\u03a3\u03b1\u0391\u00e9\u00c9\u0130I\u1fb3\u1e69\u1100\u1161\u11a8\uac00\u304b\u3099\u212b"
)
MARKS = "\u0301\u0323\u0307\u0308\u0345\u0327\u3099\u0338 -\u4e00\u0436\u05d0"


def caseless(text: str) -> str:
    without_dots = unicodedata.normalize("NFD", text).casefold().replace("i\u0307", "i")  # of Turkish İ
    return unicodedata.normalize("NFC", without_dots)


async def _unlike(database: Database, texts: Iterable[str]) -> list[tuple[str, str]]:
    """Return the texts that PostgreSQL folds otherwise, and how. Python may know letters that are newer."""
    rows = await database.fetch(FOLDED, list(texts))
    return [(ascii(row["text"]), ascii(row["folded"])) for row in rows if row["folded"] != caseless(row["text"])]


async def test_every_letter_folds_as_unicode_says(database: Database) -> None:
    assert await _unlike(database, ASSIGNED) == []


async def test_every_letter_folds_alike_beside_others(database: Database) -> None:
    assert await _unlike(database, (f"a{char}B" for char in ASSIGNED)) == []


async def test_letters_and_marks_fold_together(database: Database) -> None:
    dice = random.Random(15)  # the same texts every time
    texts = ("".join(dice.choices(MIXED + MARKS, k=6)) for _ in range(5_000))

    assert await _unlike(database, texts) == []


async def test_what_lower_made_of_words_before_folds_as_the_words_do(database: Database) -> None:
    unlike = "SELECT count(*) FROM unnest($1::text[]) AS text WHERE folded(lower(text)) <> folded(text)"

    assert await database.fetchval(unlike, ASSIGNED) == 0


async def test_what_is_folded_stays_as_it_is(database: Database) -> None:
    twice = "SELECT count(*) FROM unnest($1::text[]) AS text WHERE folded(folded(text)) <> folded(text)"

    assert await database.fetchval(twice, ASSIGNED) == 0
