"""The files of the UI, read once at the start.

All of them live under one hash of their contents (`/static/<hash>/…`), so that modules can name each other relatively
and an address never changes its meaning: browsers keep them for ever. Pages write `{{static}}` where that address goes.

Scripts are written for people and served without their comments and their needless white space, which is half of them:
nothing is renamed, so that a stack trace still reads, and lines stay lines where JavaScript could mean them.
"""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.web.pages.scripts import compact

DIRECTORY: Final = Path(__file__).parents[1] / "static"

# Explicit: the system's own table differs from machine to machine. What is not listed is not served.
_CONTENT_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_COMPRESSED: Final = frozenset({".css", ".html", ".js", ".json", ".svg", ".webmanifest"})
_PLACEHOLDER: Final = b"{{static}}"
_HASH_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served.

    Attributes:
        gzipped: The body compressed, where that makes it smaller.
        etag: Changes with the body.
    """

    body: bytes
    gzipped: bytes | None
    content_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All files, by their path under the directory.

    Attributes:
        version: The hash in their address.
    """

    version: str
    files: Mapping[str, Asset]

    @classmethod
    def load(cls, directory: Path = DIRECTORY) -> "Assets":
        """Read a directory. Blocks; called once."""
        contents = {name: served(name, body) for name, body in _contents(directory)}
        digest = hashlib.sha256()
        for name, body in contents.items():
            digest.update(f"{len(name)} {name} {len(body)} ".encode() + body)
        version = digest.hexdigest()[:_HASH_CHARACTERS]
        place = f"/static/{version}".encode()
        return cls(version, {name: _asset(name, body.replace(_PLACEHOLDER, place)) for name, body in contents.items()})


def served(name: str, body: bytes) -> bytes:
    """Return a file as it goes over the wire."""
    return compact(body.decode()).encode() if name.endswith(".js") else body


def _contents(directory: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(directory.rglob("*")):
        if path.suffix in _CONTENT_TYPES and path.is_file():
            yield path.relative_to(directory).as_posix(), path.read_bytes()


def _asset(name: str, body: bytes) -> Asset:
    suffix = Path(name).suffix
    gzipped = gzip.compress(body, mtime=0) if suffix in _COMPRESSED else None
    smaller = gzipped if gzipped is not None and len(gzipped) < len(body) else None
    etag = f'"{hashlib.sha256(body).hexdigest()[:_HASH_CHARACTERS]}"'
    return Asset(body, smaller, _CONTENT_TYPES[suffix], etag)
