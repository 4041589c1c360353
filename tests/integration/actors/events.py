"""Writes events as use cases do, without the use cases."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import trio

if TYPE_CHECKING:
    from app.adapters.postgres import Connection, Database

INSERT = """
    INSERT INTO events (id, type, project_id, task_id, account_id, occurred_at, before, after, detail)
    VALUES ($1, $2, $3, $4, $5, now(), $6::jsonb, $7::jsonb, $8::jsonb)
"""


@dataclass(frozen=True, kw_only=True)
class World:
    """A project with one member, and tasks that exist only as ids."""

    database: Database
    project_id: UUID
    account_id: UUID

    @classmethod
    async def make(cls, database: Database) -> World:
        world = cls(database=database, project_id=uuid4(), account_id=uuid4())
        async with database.transaction() as connection:
            await connection.execute(
                "INSERT INTO accounts (id, email, email_key, password_hash, created_at, updated_at)"
                " VALUES ($1, 'a@example.org', $2, '', now(), now())",
                world.account_id,
                str(world.account_id),
            )
            await connection.execute(
                "INSERT INTO projects (id, name, kind, created_at) VALUES ($1, 'Inbox', 'inbox', now())",
                world.project_id,
            )
            await connection.execute(
                "INSERT INTO memberships (project_id, account_id, role, inbox) VALUES ($1, $2, 'owner', true)",
                world.project_id,
                world.account_id,
            )
        return world

    async def record(
        self,
        connection: Connection | Database,
        kind: str = "task.updated",
        *,
        task_id: UUID | None = None,
        before: str | None = None,
        after: str | None = '{"title": "x"}',
        detail: str = "{}",
    ) -> UUID:  # fmt: skip - the columns of an event
        event_id = uuid4()
        await connection.execute(
            INSERT, event_id, kind, self.project_id, task_id or uuid4(), self.account_id, before, after, detail
        )
        return event_id

    async def write_with_late_commits(self, writers: int, each: int, seed: int) -> None:
        """Insert events in transactions that commit after a random pause."""

        async def write(number: int) -> None:
            chance = random.Random(seed + number)
            for _ in range(each):
                async with self.database.transaction() as connection:
                    await self.record(connection)
                    await trio.sleep(chance.uniform(0, 0.02))

        async with trio.open_nursery() as nursery:
            for number in range(writers):
                nursery.start_soon(write, number)
