"""A quarter of the seeds that CI runs; see docs/simulation.md."""

import pytest

from tests.simulation.seeds import batches_of, run_batch


@pytest.mark.accepts("C24", "E01", "E02", "E05", "E10", "R07")
@pytest.mark.parametrize("first", batches_of(0))
def test_every_promise_holds_on_bad_days(first: int) -> None:
    run_batch(first)
