"""Writes a registry as a page that Prometheus can read, and never too long a one."""

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, Metric, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

# A page this long means that a label ran away. Prometheus would refuse all of it
# (`sample_limit`), so the longest families are left out and the rest stays visible.
SERIES_CAP = 20_000


class _Families(Collector):
    """The families of one scrape, in the shape the encoders expect."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def render(registry: CollectorRegistry, accept: str | None = None, cap: int = SERIES_CAP) -> tuple[bytes, str]:
    """Return the page and its content type.

    Args:
        registry: Whose metrics to write.
        accept: The request's `Accept` header. Whoever takes OpenMetrics gets it, exemplars included; all
            others get the plain text format.
        cap: The largest number of samples on the page.
    """
    families = _Families(within(cap, list(registry.collect())))
    if "application/openmetrics-text" in (accept or ""):
        return openmetrics.generate_latest(families), openmetrics.CONTENT_TYPE_LATEST  # type: ignore[no-untyped-call] # the library has no types here
    return generate_latest(families), CONTENT_TYPE_PLAIN_0_0_4


def within(cap: int, families: list[Metric]) -> list[Metric]:
    """Return the families without the longest ones, if together they have more than `cap` samples.

    What was left out is named in a metric of its own, so that an alert can find it.
    """
    total = sum(len(family.samples) for family in families)
    excess = Metric("metrics_left_out_samples", "Which metrics grew too long to be shown?", "gauge")
    for family in sorted(families, key=lambda one: len(one.samples), reverse=True):
        if total <= cap:
            break
        total -= len(family.samples)
        excess.add_sample("metrics_left_out_samples", {"metric": family.name}, float(len(family.samples)))
    left_out = {sample.labels["metric"] for sample in excess.samples}
    return [family for family in families if family.name not in left_out] + ([excess] if left_out else [])
