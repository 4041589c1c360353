"""Whether what is simulated is what runs: an actor that is added to the house has to be added here, or named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.config import read_settings
from app.main import assemble
from tests.simulation.process import Process
from tests.simulation.surroundings import Surroundings

if TYPE_CHECKING:
    from pathlib import Path

    from supervisors.supervisor import Supervisor

NOT_SIMULATED: Final = {
    "postgres": "the simulated database is not a child process",
    "lock": "a file of a data directory, which a simulated process does not have",
    "schema": "the simulated database has no migrations",
    "housekeeping": "deletes what is days old",
    "census": "only counts, for metrics",
    "letters": "no simulated mailbox makes dead letters: these drop and look again",
    "pulse": "measures the real loop",
    "stalls": "watches the real loop from a thread",
    "reload": "listens to signals",
    "search": "keeps an index, which the simulated database does without",
}


def ids(supervisor: Supervisor) -> dict[str, list[str]]:
    """Return the ids of the workers below each branch, in the order they start."""
    return {
        name: list(spec.below._static)  # type: ignore[attr-defined] # a Supervisor
        for name, spec in supervisor._static.items()
        if spec.below is not None
    }


def test_every_actor_of_the_house_is_simulated_or_named(tmp_path: Path) -> None:
    house = ids(assemble(read_settings({"RONDO_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x"}), tmp_path))
    process = Process(Surroundings(seed="wiring"), "p", UUID(int=1), 16)

    simulated = ids(process.root)

    left = {branch: [child for child in children if child not in NOT_SIMULATED] for branch, children in house.items()}
    assert left == simulated


def test_nothing_is_named_that_is_simulated() -> None:
    process = Process(Surroundings(seed="wiring"), "p", UUID(int=1), 16)

    assert not {child for children in ids(process.root).values() for child in children} & set(NOT_SIMULATED)
