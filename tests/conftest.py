"""What holds for every test."""

import os
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import hypothesis
import pytest

# The machine decides how long an example takes; what takes too long fails by its own limit.
hypothesis.settings.register_profile("rondo", deadline=None)
hypothesis.settings.load_profile("rondo")

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)
_IS_CI = os.environ.get("CI") == "true"
# Tests that look at Rondo from outside, or compute for long. Measuring what they pass through would take two to three
# times their time, slow down what they wait for, and show little that shorter tests do not. What stands among others
# has the marker `uncovered`.
_WITHOUT_COVERAGE = (
    "acceptance/",
    "e2e/",
    "integration/loadtest/",
    "simulation/",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Leave long tests out of the measurement of coverage.

    Not with pytest-cov's `no_cover`: in a worker of pytest-xdist two of its measurements run, and while it pauses one
    the other goes on.
    """
    path = str(item.path).removeprefix(f"{Path(__file__).parent}/")
    if not path.startswith(_WITHOUT_COVERAGE) and item.get_closest_marker("uncovered") is None:
        return (yield)
    trace, trace_of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(trace)
        threading.settrace(trace_of_threads)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test fails: there everything it could miss is there."""
    report = yield
    return _strict(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI a skipped module fails likewise."""
    report = yield
    return _strict(report)


def _strict(report: _Report) -> _Report:
    if _IS_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, and with CI=true nothing may be: {report.longrepr}"
    return report
