import shutil
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitoring import exposition, instruments, metrics, runtime
from monitoring.instruments import Label, Registry

OPENMETRICS = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;q=0.5,text/plain;q=0.2"


def test_the_page_is_what_prometheus_reads() -> None:
    page, content_type = metrics.render()

    assert content_type.startswith("text/plain")
    assert "http_request_duration_seconds" in {family.name for family in parse_text(page.decode())}


def test_whoever_accepts_openmetrics_gets_it() -> None:
    page, content_type = metrics.render(OPENMETRICS)

    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert "http_requests" in {family.name for family in parse_openmetrics(page.decode())}  # type: ignore[no-untyped-call] # has no types


@pytest.mark.parametrize("accept", ["", "*/*", "text/html, */*;q=0.1", "text/plain;version=garbage"])
def test_everybody_else_gets_text(accept: str) -> None:
    assert metrics.render(accept)[1].startswith("text/plain")


def test_a_scrape_is_measured_too() -> None:
    metrics.render()

    assert (metrics.REGISTRY.get_sample_value("metrics_scrape_duration_seconds_count") or 0) > 0


def test_an_exemplar_reaches_the_page() -> None:
    child = metrics.HTTP_REQUEST_DURATION_SECONDS.labels("GET", "/exemplar")

    child.observe_with(0.003, {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})

    assert b'# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.003' in metrics.render(OPENMETRICS)[0]


def test_the_linter_of_prometheus_finds_nothing() -> None:
    promtool = shutil.which("promtool") or "true"  # the parsers above still check where it is not installed

    checked = subprocess.run([promtool, "check", "metrics"], input=_ours(), capture_output=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def _ours() -> bytes:
    """Return the page without the metrics of prometheus_client, which do not heed its own linter."""
    lines = metrics.render()[0].splitlines(keepends=True)
    return b"".join(line for line in lines if b"python_" not in line)


def test_a_metric_that_grew_too_long_is_left_out_and_named() -> None:
    registry = Registry()
    instruments.gauge("small", "Is it small?", registry=registry).set(1)
    runaway = instruments.gauge("runaway", "Who?", Label("who"), registry=registry)
    for number in range(20):
        runaway.labels(number).set(number)

    page = exposition.render(registry, cap=10)[0].decode()

    assert "small 1.0" in page
    assert 'metrics_left_out_samples{metric="runaway"} 20.0' in page
    assert "runaway{" not in page


def test_all_of_it_stays_far_below_the_cap() -> None:
    runtime.describe("1.2.3")

    assert metrics.render()[0].count(b"\n") < exposition.SERIES_CAP / 2
