"""The use case that hands somebody everything they have here, as one JSON document.

It is written section by section and page by page, so that a large account costs no more memory than a small one. Each
page is a transaction of its own: what changes meanwhile is in the document as it was before or after.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import orjson

from app.ports.accounts import AccountReader
from app.ports.clock import Clock
from app.ports.own_account import Exporter
from app.services.context import Context

# Grows when a program that reads version 1 would misunderstand the document.
VERSION: Final = 1

Write = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportService:
    """Exports accounts."""

    accounts: AccountReader
    exporter: Exporter
    clock: Clock

    async def begin(self, context: Context) -> "Export":
        """Return the export of the caller's account, to be written."""
        head = {
            "format": "rondo-export",
            "version": VERSION,
            "exportedAt": self.clock.now().isoformat().replace("+00:00", "Z"),
            "account": orjson.Fragment(await self.accounts.profile(context.caller.account_id)),
        }
        return Export(self.exporter, context, orjson.dumps(head).removesuffix(b"}"))


@dataclass(frozen=True, slots=True)
class Export:
    """A document that is made while it is written."""

    exporter: Exporter
    context: Context
    head: bytes

    async def write_to(self, write: Write) -> None:
        """Write the whole document.

        Raises:
            DatabaseUnavailableError: PostgreSQL went away; what was written is not a document.
        """
        await write(self.head)
        for section in self.exporter.sections:
            await write(b',"%s":[' % section.encode())
            await self._write_section(section, write)
            await write(b"]")
        await write(b"}")

    async def _write_section(self, section: str, write: Write) -> None:
        separator, after = "", None
        while True:
            page = await self.exporter.page(section, self.context.caller.account_id, after)
            if page.entries:
                await write((separator + ",".join(page.entries)).encode())
                separator = ","
            after = page.after
            if after is None:
                return
