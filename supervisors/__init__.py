"""Who restarts whom: Erlang/OTP's supervisors on trio, and this service's one tree.

Everything but `tree` is generic and knows nothing of this application; docs/supervision.md tells how it behaves.
"""

from supervisors.child_spec import BRUTAL, IGNORE, INFINITY, ChildSpec, Restart
from supervisors.reports import Event, Report, State
from supervisors.restarts import AutoShutdown, Backoff, Strategy
from supervisors.supervisor import Supervisor

__all__ = [
    "BRUTAL",
    "IGNORE",
    "INFINITY",
    "AutoShutdown",
    "Backoff",
    "ChildSpec",
    "Event",
    "Report",
    "Restart",
    "State",
    "Strategy",
    "Supervisor",
]
