"""Finds the endpoint of a request: a dictionary lookup over a table compiled once.

A path is cut at its slashes. For each number of parts the table knows where a parameter can stand; with that taken out,
what is left is a key. A part that is not a well-formed id still finds its endpoint, which then knows nothing of that
name. Beside ids there are names, which are what they say.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

PARAMETER: Final = "{id}"
NAME: Final = "{path}"
_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


class Routable(Protocol):
    """What has a place in the table."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        ...

    @property
    def path(self) -> str:
        """The template."""
        ...


R = TypeVar("R", bound=Routable)


@dataclass(frozen=True, slots=True)
class Route(Generic[R]):
    """All endpoints of one path template.

    Attributes:
        methods: By method; HEAD is answered by GET.
        allow: The value of `Allow`.
    """

    path: str
    methods: Mapping[str, R]
    allow: bytes


class Router(Generic[R]):
    """A compiled route table."""

    def __init__(self, table: Iterable[R]) -> None:
        paths: dict[str, dict[str, R]] = {}
        for row in table:
            methods = paths.setdefault(row.path, {})
            if row.method in methods:
                raise ValueError(f"{row.method} {row.path} is in the table twice")
            methods[row.method] = row
        self._routes = {tuple(path.split("/")): _route(path, methods) for path, methods in paths.items()}
        self._places: dict[int, set[tuple[int, str]]] = {}
        for parts in self._routes:
            for parameter in (PARAMETER, NAME):
                if parameter in parts:
                    self._places.setdefault(len(parts), set()).add((parts.index(parameter), parameter))

    def find(self, path: str) -> tuple[Route[R], UUID | str | None] | None:
        """Return the route of a path and the id or name in it, None if there is no such path."""
        parts = tuple(path.split("/"))
        route = self._routes.get(parts)
        if route is not None:
            return route, None
        for place, parameter in self._places.get(len(parts), ()):
            route = self._routes.get((*parts[:place], parameter, *parts[place + 1 :]))
            if route is not None and parts[place]:
                return route, parts[place] if parameter == NAME else _id(parts[place])
        return None


def _id(part: str) -> UUID | None:
    return UUID(part) if _ID.fullmatch(part) else None


def _route(path: str, methods: dict[str, R]) -> Route[R]:
    names = [*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"]
    with_head = methods | ({"HEAD": methods["GET"]} if "GET" in methods else {})
    return Route(path, with_head, ", ".join(sorted(names)).encode())
