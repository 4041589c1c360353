"""The benchmark and the scenarios work: every row is measured, no request fails. How fast is not asked here."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loadtest import plot, report
from loadtest.bench.endpoints import ENDPOINTS
from loadtest.bench.rows import Row, Samples, table
from loadtest.http_load import LoadError, percentile, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[3]
ROWS = {
    *("rest", "memory_start", "memory_growth", "mixed_errors", "floor", *ENDPOINTS, "p99"),
    *("metrics", "instrumentation"),
    *(f"growth_{name}" for name in ENDPOINTS),
    *("sockets", "fanout", "delivery_p50", "delivery_p99", "start_existing", "start_empty"),
}
# What may be nothing, or less: errors, and differences of two figures. A few sockets may find room in freed memory.
MAY_BE_ZERO = {"mixed_errors", "memory_growth", "instrumentation", "sockets"}


def loadtest(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command; what it starts is not measured for coverage, which would only make it slow."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-m", "loadtest", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_the_short_benchmark_measures_every_row_without_an_error(tmp_path: Path) -> None:
    ended = loadtest("bench", "--short", "--json", str(tmp_path / "result.json"))
    result = json.loads((tmp_path / "result.json").read_text())
    rows = {row["name"]: row for row in result["rows"]}
    report.write(result, tmp_path / "docs")

    assert (ended.returncode, result["errors"]) == (0, 0), ended.stderr
    assert rows.keys() == ROWS
    assert [name for name in rows if not is_plausible(rows[name])] == []
    assert [name for name in ENDPOINTS if rows[name]["ratio"] < 1] == []
    assert [row["what"] for row in result["rows"] if row["what"] not in ended.stdout] == []
    assert result["machine"]["fsync"] == "on"
    assert "# What Rondo costs" in (tmp_path / "docs" / "performance.md").read_text()


def is_plausible(row: Mapping[str, Any]) -> bool:
    numbers = [row["measured"], *row["samples"], *row["details"].values()]
    positive = row["name"] in MAY_BE_ZERO or all(number > 0 for number in numbers)
    return positive and all(math.isfinite(number) for number in numbers)


@pytest.mark.slow
def test_the_short_scenarios_make_no_errors_and_say_what_held() -> None:
    ended = loadtest("load", "--short")

    said = [line for line in ended.stdout.splitlines() if line.startswith(("held", "MISSED"))]
    # Speed is the machine's: what is late here may be in time elsewhere.
    missed = [line for line in said if line.startswith("MISSED") and "p95" not in line]
    assert (len(said), missed) == (8, []), ended.stdout + ended.stderr
    assert ended.returncode == any(line.startswith("MISSED") for line in said)


def test_a_command_that_does_not_exist_is_told_what_does() -> None:
    ended = loadtest("bnech")

    assert (ended.returncode, "bench" in ended.stderr) == (2, True)


def test_a_row_is_judged_by_its_ratio_or_by_its_figure() -> None:
    costs = Samples(values=[300.0, 900.0, 330.0], others=[100.0, 300.0, 100.0])
    endpoint = Row(
        name="get", what="GET", unit="µs", measured=330, floor=100, ratio=costs.ratio, target=3, relative=True
    )
    start = Row(name="start", what="ready", unit="s", measured=1.6, target=1.5)
    told = Row(name="floor", what="the floor", unit="µs", measured=100)

    assert costs.ratio == 3.0
    assert (endpoint.ok, start.ok, told.ok) == (True, False, None)
    assert table([start.as_json()]).splitlines()[-1] == "| ready | 1.5 s | 1.6 s |  |  | **missed** |"


def test_an_answer_is_whole_when_its_length_says_so() -> None:
    answer = b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\nx: y\r\n\r\nbody"

    assert {whole(answer[:size]) for size in range(len(answer))} == {None}
    assert whole(answer) == (201, len(answer) - 4)
    assert whole(b"HTTP/1.1 204 No Content\r\n\r\n") == (204, 27)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n12",
    ],
)
def test_what_cannot_be_measured_is_an_error(answer: bytes) -> None:
    with pytest.raises(LoadError):
        whole(answer)


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile(range(1, 101), share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]
    assert percentile([7.0], 0.99) == 7.0


def test_the_picture_says_which_targets_are_missed() -> None:
    rows = [
        Row(name="a", what="A <b>", unit="µs", measured=400, floor=100, ratio=4.0, target=3, relative=True),
        Row(name="b", what="B", unit="s", measured=1, target=4),
    ]

    picture = plot.draw([row.as_json() for row in rows])

    assert (picture.count('class="missed"'), picture.count('class="ok"')) == (1, 1)
    assert "A &lt;b&gt;" in picture
