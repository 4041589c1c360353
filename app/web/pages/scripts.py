"""Takes comments and needless white space out of JavaScript, which is half of what we write. Renames nothing.

A scanner, not a parser: it knows where strings, templates, regular expressions and comments begin and end (ECMAScript
2024, chapter 12), and where a line break may be what ends a statement. The libraries there are for this either know no
template literal inside of another one (rjsmin, jsmin) or need Node (terser, esbuild), which running Rondo does not.
`tests/lint_ui.sh` compares the syntax tree of each script with that of what is made of it here.
"""

import re
from collections.abc import Iterator
from typing import Final

_TOKEN: Final = re.compile(
    r"""
    (?P<space>(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)+)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<word>[\w$#]+)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_REGEX: Final = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
# From the back-tick, or the brace that ends an expression in it, to its end or to the next expression.
_TEMPLATE: Final = re.compile(r"[`}](?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)", re.DOTALL)
# A value ends with a word, but not with one of these: what follows is a regular expression, not a division.
_BEFORE_VALUE: Final = frozenset(
    {"return", "typeof", "case", "in", "of", "do", "else", "void", "delete", "await", "yield"}
)
_WORD: Final = re.compile(r"[\w$#]")
# Behind or before these a statement cannot end, so a line break between is white space.
_OPEN: Final = frozenset("{([,;:?=&|<>*!.~^%")
_CLOSE: Final = frozenset(")]},;:?=&|.*%")


def compact(source: str) -> str:
    """Return a script that means the same and is shorter."""
    pieces: list[str] = []
    last, space = "", ""
    for token in _tokens(source):
        if token[0] in " \t\r\n" or token.startswith(("//", "/*")):
            space = token
            continue
        pieces.append(_between(last, space, token))
        pieces.append(token)
        last, space = token, ""
    return "".join(pieces)


def _between(last: str, space: str, token: str) -> str:
    """Return what must stay of the white space between two tokens."""
    if not space or not last:
        return ""
    before, after = last[-1], token[0]
    if "\n" in space and before not in _OPEN and after not in _CLOSE:
        return "\n"
    joins = (_WORD.match(before) and _WORD.match(after)) or (before == after and before in "+-/")
    return " " if joins or (before.isdigit() and after == ".") else ""


def _tokens(source: str) -> Iterator[str]:
    """Yield white space with its comments as one token, texts and words whole, and everything else by character."""
    position, last = 0, ""
    depths: list[int] = []  # open braces in each template expression that one is in
    while position < len(source):
        token = _token(source, position, last, depths)
        position += len(token)
        if not (token[0].isspace() or token.startswith(("//", "/*"))):
            last = token
        yield token


def _token(source: str, position: int, last: str, depths: list[int]) -> str:
    character = source[position]
    if character == "`" or (character == "}" and depths and depths[-1] == 0):
        return _template(source, position, depths)
    if depths and character in "{}":
        depths[-1] += 1 if character == "{" else -1
    if character == "/" and source[position + 1 : position + 2] not in {"/", "*"} and not _is_value(last):
        found = _REGEX.match(source, position)
        if found:
            return found[0]
    token = _TOKEN.match(source, position)
    return token[0] if token else character


def _template(source: str, position: int, depths: list[int]) -> str:
    if source[position] == "}":
        depths.pop()
    found = _TEMPLATE.match(source, position)
    if found is None:
        return source[position:]
    if found[0].endswith("${"):
        depths.append(0)
    return found[0]


def _is_value(last: str) -> bool:
    """Return whether a slash behind this divides."""
    if _WORD.match(last[-1:]):
        return last not in _BEFORE_VALUE
    return last[-1:] in {")", "]", "}", "`", '"', "'"} or (len(last) > 1 and last.endswith("/"))
