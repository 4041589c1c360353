"""The audit trail: who changed what, and the proof that nobody changed the trail."""

from typing import Final

from app.domain.ids import TaskId
from app.web.answer import Answer
from app.web.api import documents
from app.web.api.bodies import AuditListQuery, NoQuery
from app.web.api.endpoint import Backend, Call, Endpoint


async def list_audit(backend: Backend, call: Call[None, AuditListQuery]) -> Answer:
    """List what happened in the caller's projects, newest first."""
    return Answer(200, await backend.services.audit.list_audit(call.context, call.query.query()))


async def list_task_audit(backend: Backend, call: Call[None, AuditListQuery]) -> Answer:
    """List what happened to one task, newest first."""
    query = call.query.query(TaskId(call.target))
    return Answer(200, await backend.services.audit.list_audit(call.context, query))


async def verify_audit(backend: Backend, call: Call[None, NoQuery]) -> Answer:
    """Walk the chains."""
    return Answer(200, await backend.services.audit.verify(call.context))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/audit",
        handler=list_audit,
        operation="listAudit",
        summary="List everything that happened, newest first",
        description="Written by an actor a moment after the change itself.",
        tag="Audit",
        query=AuditListQuery,
        answer=documents.AuditPage,
    ),
    Endpoint(
        method="GET",
        path="/api/tasks/{id}/audit",
        handler=list_task_audit,
        operation="listTaskAudit",
        summary="List what happened to a task, newest first",
        tag="Audit",
        query=AuditListQuery,
        answer=documents.AuditPage,
        refusals=("not_found",),
    ),
    Endpoint(
        method="POST",
        path="/api/audit/verify",
        handler=verify_audit,
        operation="verifyAudit",
        summary="Verify the audit trail",
        description="Walks the hash chains you may see; for an operator all of them.",
        tag="Audit",
        answer=documents.Verification,
    ),
)
