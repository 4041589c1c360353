"""Children made from one mould, any number of them: OTP's simple_one_for_one."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, ParamSpec

from supervisors.child_spec import ChildSpec
from supervisors.reports import Identity
from supervisors.supervisor import Supervisor

P = ParamSpec("P")


class TemplateSupervisor(Supervisor, Generic[P]):
    """A supervisor that starts with no children and gets them by `start_instance`.

    They restart one by one, and are all told to stop at the same time.

    Args:
        name: Its id.
        template: Makes the specification of an instance from what `start_instance` is given; its id gets a number.
        options: As for `Supervisor`, but for `strategy`.
    """

    def __init__(self, name: str, template: Callable[P, ChildSpec], **options: Any) -> None:
        super().__init__(name, stop_together=True, **options)
        self._template = template
        self._numbers = itertools.count(1)

    async def start_instance(self, *args: P.args, **kwargs: P.kwargs) -> Identity:
        """Start one more. Raises what `start_child` raises."""
        spec = self._template(*args, **kwargs)
        return await self.start_child(replace(spec, id=f"{spec.id}-{next(self._numbers)}"))
