"""How the simulated database refuses."""


class SimulatedError(Exception):
    """What the simulation does to the code; never a bug of the code."""


class CrashError(SimulatedError):
    """The actor or request ends here, as if by a bug."""


class DeadlockError(SimulatedError):
    """Two transactions wait for each other, or could not be serialised; this one was undone."""


class UniqueViolationError(Exception):
    """Two rows that must not be: the code under test relies on something that does not hold."""
