"""Values of which every request makes several: frozen for whoever reads the code, plain for the interpreter."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

C = TypeVar("C")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def value(cls: type[C]) -> type[C]:
    """Make a dataclass with slots and named arguments that the type checker takes for frozen.

    A frozen dataclass sets each field through `object.__setattr__`, which nearly doubles what it costs to make one, and
    a write makes a dozen (`python -m loadtest.bench_parts`). `make lint` refuses every assignment to a field instead.
    """
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)
