import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from monitoring import logs, scope, tracing
from monitoring.metrics import REGISTRY

Value = Callable[..., float]
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Log to memory; call it for what was written so far."""
    stream = io.StringIO()
    logs.setup("debug", format="json", version="1.2.3", env="test", instance="here", stream=stream)

    def read() -> list[dict[str, Any]]:
        assert logs.flush()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield read
    logs.shutdown()


class Kept:
    """An exporter that keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[tracing.Span] = []

    def export(self, spans: Any) -> None:
        self.spans.extend(spans)

    def shutdown(self, seconds: float) -> None:
        """Nothing waits here."""

    def named(self, name: str) -> tracing.Span:
        return next(span for span in self.spans if span.name == name)


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Keep every trace."""
    exporter = Kept()
    tracing.use(exporter, 1.0)
    yield exporter
    tracing.use(None)


@pytest.fixture(autouse=True)
def _outside_of_any_trace() -> Iterator[None]:
    token = scope.CURRENT.set(scope.Scope({}, None))
    yield
    scope.CURRENT.reset(token)


@pytest.fixture
def value() -> Value:
    """Read one sample of the registry, 0 if it is not there."""

    def read(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    return read
