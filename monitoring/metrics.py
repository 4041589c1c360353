"""Every number Rondo measures, declared once, with the question it answers.

A constant is the metric's name in capitals. Hot code resolves its children once
(`metrics.HTTP_REQUESTS_TOTAL.labels(method, route, status)`) and keeps them. No user, task,
request or trace id is ever a label: ids live in exemplars, spans and log lines. Kafka's
metrics arrive with Kafka's bridges.
"""

import time

from monitoring import exposition
from monitoring.instruments import OTHER, REGISTRY, Label, counter, gauge, histogram, prepare

__all__ = ["OTHER", "REGISTRY", "Label", "prepare", "render"]

# Upper bounds in seconds. HTTP follows the advice of OpenTelemetry's HTTP conventions.
HTTP_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
# Half a millisecond to ten seconds: statements and the work around them.
DB_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0)
# A tenth of a millisecond to one second: what happens inside the process.
FAST_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
# A tenth of a second to one hour: how late something reached a person.
LATE_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
# 64 B to 1 MiB, the largest body we accept.
SIZE_BYTES = (64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0)

# Names the code gives at start-up: open, up to a limit.
_ROUTE = Label("route", limit=150)
_STATUS = Label("status", limit=64)
_ACTOR = Label("actor")
_AGENT = Label("agent")
_AGENT_OPERATION = Label("operation", limit=60)
_POOL = Label("pool", limit=8)
_TABLE = Label("table", limit=60)
_MOUNTPOINT = Label("mountpoint", limit=16)
_CHECK = Label("check", limit=32)
_SQLSTATE_CLASS = Label("sqlstate_class", limit=50)  # the first two characters of a SQLSTATE
_MESSAGE_TYPE = Label("type", limit=60)  # `hello`, `task.created`, …

# Closed sets.
_METHOD = Label("method", ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_OPERATION = Label(
    "operation",
    ("create", "read", "list", "replace", "update", "complete", "reopen", "cancel", "delete", "restore"),
)
_SQL_OPERATION = Label(
    "operation",
    ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "COPY", "CALL", "BEGIN", "COMMIT", "ROLLBACK"),
)
_CHANNEL = Label("channel", ("email", "web", "push", "ntfy", "webhook", "apprise"))
_FREQUENCY = Label("frequency", ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"))
_RESTART_REASON = Label("reason", ("crash", "exit", "stuck", "sibling", "operator", "init"))
_ACTOR_EVENT = Label(
    "event",
    (
        "started",
        "start_failed",
        "exited",
        "shutdown_error",
        "shutdown_timeout",
        "stuck",
        "restarting",
        "gave_up",
    ),
)
_LEVEL = Label("level", ("debug", "info", "warning", "error", "critical"))


def _outcome(*values: str) -> Label:
    return Label("outcome", values)


# --- HTTP ---------------------------------------------------------------------------------

HTTP_REQUESTS_TOTAL = counter(
    "http_requests_total",
    "How many requests were completed, by route template and exact status?",
    _METHOD,
    _ROUTE,
    _STATUS,
)
HTTP_REQUEST_DURATION_SECONDS = histogram(
    "http_request_duration_seconds",
    "How long does a request take, from its first byte to the last byte of the response?",
    _METHOD,
    _ROUTE,
    buckets=HTTP_SECONDS,
)
HTTP_REQUESTS_IN_PROGRESS = gauge(
    "http_requests_in_progress", "How many requests are being handled right now?", _METHOD
)
HTTP_REQUEST_SIZE_BYTES = histogram(
    "http_request_size_bytes", "How large are request bodies?", _ROUTE, buckets=SIZE_BYTES
)
HTTP_RESPONSE_SIZE_BYTES = histogram(
    "http_response_size_bytes", "How large are response bodies?", _ROUTE, buckets=SIZE_BYTES
)
HTTP_RATE_LIMITED_TOTAL = counter(
    "http_rate_limited_total",
    "How many requests were refused with 429, and by which limit?",
    _ROUTE,
    Label("scope", ("address", "account", "user", "global")),
)
HTTP_IDEMPOTENT_REPLAYS_TOTAL = counter(
    "http_idempotent_replays_total", "How many requests were answered from the idempotency store?", _ROUTE
)
AUTH_ATTEMPTS_TOTAL = counter(
    "auth_attempts_total",
    "How many sign-ins and tokens were tried, and how did they end?",
    Label("method", ("password", "register", "reauthentication", "cookie", "bearer", "websocket")),
    _outcome("success", "failure", "expired", "limited", "forbidden", "error"),
)

# --- Domain -------------------------------------------------------------------------------

TASK_OPERATIONS_TOTAL = counter(
    "task_operations_total",
    "How many task commands ran, and how did they end?",
    _OPERATION,
    _outcome("success", "refused", "conflict", "not_found", "error"),
)
TASK_OPERATION_DURATION_SECONDS = histogram(
    "task_operation_duration_seconds",
    "How long does a task command take inside the domain layer, its transaction included?",
    _OPERATION,
    buckets=DB_SECONDS,
)
TASKS_OPEN = gauge(
    "tasks_open",
    "How many open tasks are on this installation (counted every 30 s)?",
    Label("state", ("open", "overdue", "due_today", "scheduled", "unscheduled")),
)
USERS_ACTIVE = gauge(
    "users_active",
    "How many different users were seen in the window?",
    Label("window", ("5m", "1h", "1d", "7d", "30d")),
)

# --- Database -----------------------------------------------------------------------------

DATABASE_QUERY_DURATION_SECONDS = histogram(
    "database_query_duration_seconds",
    "How long does a statement take, seen from this process?",
    _SQL_OPERATION,
    _TABLE,
    buckets=DB_SECONDS,
)
DATABASE_QUERY_ERRORS_TOTAL = counter(
    "database_query_errors_total", "How many statements failed, by class of SQLSTATE?", _SQL_OPERATION, _SQLSTATE_CLASS
)
DATABASE_CONNECTIONS_ACTIVE = gauge("database_connections_active", "How many connections are checked out?", _POOL)
DATABASE_CONNECTIONS_IDLE = gauge("database_connections_idle", "How many connections are open and unused?", _POOL)
DATABASE_CONNECTIONS_MAX = gauge("database_connections_max", "How many connections may the pool open?", _POOL)
DATABASE_POOL_WAITERS = gauge("database_pool_waiters", "How many tasks wait for a connection?", _POOL)
DATABASE_POOL_WAIT_DURATION_SECONDS = histogram(
    "database_pool_wait_duration_seconds", "How long does it take to obtain a connection?", _POOL, buckets=DB_SECONDS
)
DATABASE_POOL_TIMEOUTS_TOTAL = counter(
    "database_pool_timeouts_total", "How often did a task give up waiting for a connection?", _POOL
)
DATABASE_TRANSACTIONS_TOTAL = counter(
    "database_transactions_total",
    "How many transactions ended, and how (retry: a serialization failure, run again)?",
    _outcome("commit", "rollback", "retry", "error"),
)
DATABASE_RECONNECTS_TOTAL = counter(
    "database_reconnects_total", "How many connections were made again after a loss?", _POOL
)

# --- Event log and relay ------------------------------------------------------------------

OUTBOX_PENDING_EVENTS = gauge("outbox_pending_events", "How many committed events are not yet published?")
OUTBOX_OLDEST_PENDING_AGE_SECONDS = gauge(
    "outbox_oldest_pending_age_seconds", "How old is the oldest unpublished event, which is the relay's true lag?"
)
OUTBOX_PUBLISH_DURATION_SECONDS = histogram(
    "outbox_publish_duration_seconds",
    "How long does the relay take for one batch?",
    Label("sink", ("local", "kafka")),
    buckets=DB_SECONDS,
)
EVENT_END_TO_END_SECONDS = histogram(
    "event_end_to_end_seconds",
    "How fresh is what a person sees: how long from commit to arrival at the stage?",
    Label("stage", ("relay", "audit", "recurring", "reminder", "sync", "socket", "kafka_in", "kafka_out")),
    buckets=LATE_SECONDS,
)

# --- WebSocket ----------------------------------------------------------------------------

WEBSOCKET_CONNECTIONS_ACTIVE = gauge("websocket_connections_active", "How many sockets are open?")
WEBSOCKET_CONNECTIONS_OPENED_TOTAL = counter("websocket_connections_opened_total", "How many sockets were accepted?")
WEBSOCKET_DISCONNECTS_TOTAL = counter(
    "websocket_disconnects_total",
    "How many sockets were closed, and why?",
    Label(
        "reason",
        ("client", "going_away", "policy", "too_big", "too_slow", "signed_out", "unauthenticated", "lost", "error"),
    ),
)
WEBSOCKET_MESSAGES_SENT_TOTAL = counter(
    "websocket_messages_sent_total", "How many messages were written to sockets, by type?", _MESSAGE_TYPE
)
WEBSOCKET_MESSAGES_RECEIVED_TOTAL = counter(
    "websocket_messages_received_total",
    "How many messages did clients send, by type?",
    Label("type", ("authenticate", "resume", "ping", "invalid")),
)
WEBSOCKET_BROADCAST_DURATION_SECONDS = histogram(
    "websocket_broadcast_duration_seconds",
    "How long does it take to hand one event to all its sockets?",
    buckets=FAST_SECONDS,
)
WEBSOCKET_SEND_QUEUE_DEPTH_MAX = gauge(
    "websocket_send_queue_depth_max", "How many messages wait in the fullest send queue of any socket?"
)
WEBSOCKET_RESUMES_TOTAL = counter(
    "websocket_resumes_total",
    "How many sockets resumed a stream, and how did it end?",
    _outcome("resumed", "reset", "error"),
)

# --- Agents: the actors' work -------------------------------------------------------------

AGENT_UP = gauge("agent_up", "Is the actor running and its heartbeat fresh (1) or not (0)?", _AGENT)
AGENT_OPERATIONS_TOTAL = counter(
    "agent_operations_total",
    "How many units of work did an actor do, and how did they end?",
    _AGENT,
    _AGENT_OPERATION,
    _outcome("success", "skipped", "retry", "failure", "error"),
)
AGENT_OPERATION_DURATION_SECONDS = histogram(
    "agent_operation_duration_seconds",
    "How long does an actor take for a unit of work?",
    _AGENT,
    _AGENT_OPERATION,
    buckets=DB_SECONDS,
)
AGENT_LAST_SUCCESS_TIMESTAMP_SECONDS = gauge(
    "agent_last_success_timestamp_seconds",
    "When (Unix time) did the actor last succeed, so that a stall shows?",
    _AGENT,
)

# --- Reminders, recurrence, audit, sync ---------------------------------------------------

REMINDER_DELIVERY_TOTAL = counter(
    "reminder_delivery_total",
    "How many delivery attempts finished, and how?",
    _CHANNEL,
    _outcome("delivered", "retry", "failed", "suppressed", "expired"),
)
REMINDER_DELIVERY_FAILED_TOTAL = counter(
    "reminder_delivery_failed_total",
    "How many deliveries were given up, and why?",
    _CHANNEL,
    Label("reason", ("refused", "unreachable", "timeout", "rejected", "exhausted", "not_configured", "error")),
)
REMINDER_DELIVERY_DURATION_SECONDS = histogram(
    "reminder_delivery_duration_seconds",
    "How long does an attempt take until the provider acknowledges?",
    _CHANNEL,
    buckets=HTTP_SECONDS,
)
REMINDER_DELIVERY_LATENESS_SECONDS = histogram(
    "reminder_delivery_lateness_seconds",
    "How late do reminders arrive after they are due, which is the promise a person feels?",
    buckets=LATE_SECONDS,
)
REMINDERS_PENDING = gauge(
    "reminders_pending",
    "How many reminders wait, and for what?",
    Label("state", ("scheduled", "due", "delivering", "retrying", "snoozed")),
)
RECURRING_TASK_GENERATED_TOTAL = counter(
    "recurring_task_generated_total", "How many occurrences were created, by frequency of their rule?", _FREQUENCY
)
RECURRING_TASK_GENERATION_DURATION_SECONDS = histogram(
    "recurring_task_generation_duration_seconds",
    "How long does it take to create the next occurrence?",
    buckets=DB_SECONDS,
)
RECURRING_TASK_GENERATION_FAILED_TOTAL = counter(
    "recurring_task_generation_failed_total",
    "How many occurrences could not be created, and why?",
    Label("reason", ("invalid_rule", "exhausted", "limit", "database", "error")),
)
AUDIT_LOG_WRITES_TOTAL = counter(
    "audit_log_writes_total",
    "How many audit rows were written or refused, by action?",
    Label("action", limit=60),
    _outcome("success", "duplicate", "error"),
)
AUDIT_LOG_WRITE_DURATION_SECONDS = histogram(
    "audit_log_write_duration_seconds", "How long does it take to write an audit batch?", buckets=DB_SECONDS
)
AUDIT_LOG_CHAIN_VERIFIED = gauge(
    "audit_log_chain_verified", "Did the last check of the hash chain pass (1) or find a break (0)?"
)
SYNC_UPDATES_DELIVERED_TOTAL = counter(
    "sync_updates_delivered_total",
    "How many updates were handed to the hub, and did anybody listen?",
    _outcome("delivered", "no_audience", "missed", "error"),
)

# --- Actors and supervision ---------------------------------------------------------------

ACTOR_MAILBOX_DEPTH = gauge("actor_mailbox_depth", "How many messages wait in the mailbox?", _ACTOR)
ACTOR_MAILBOX_CAPACITY = gauge("actor_mailbox_capacity", "How many messages does the mailbox hold?", _ACTOR)
ACTOR_MAILBOX_FULL_TOTAL = counter(
    "actor_mailbox_full_total",
    "How often did a send meet a full mailbox, and what was done about it?",
    _ACTOR,
    Label("policy", limit=12),
)
ACTOR_MESSAGE_WAIT_SECONDS = histogram(
    "actor_message_wait_seconds", "How long does a message wait in the mailbox?", _ACTOR, buckets=FAST_SECONDS
)
ACTOR_MESSAGE_DURATION_SECONDS = histogram(
    "actor_message_duration_seconds", "How long does the actor take for a message?", _ACTOR, buckets=FAST_SECONDS
)
ACTOR_RESTARTS_TOTAL = counter(
    "actor_restarts_total", "How often did the supervisor restart the actor, and why?", _ACTOR, _RESTART_REASON
)
ACTOR_STATE = gauge("actor_state", "Which state is the actor in (1) and not in (0)?", _ACTOR, Label("state", limit=16))
ACTOR_EVENTS_TOTAL = counter(
    "actor_events_total",
    "What happened to supervised children: how many starts, ends, restarts and escalations?",
    _ACTOR,
    _ACTOR_EVENT,
)
DEAD_LETTERS_TOTAL = counter(
    "dead_letters_total",
    "How many messages will nobody handle, by actor, and why (crashed: it crashed over it; stopped)?",
    _ACTOR,
    Label("reason", limit=8),
)
CIRCUIT_BREAKER_STATE = gauge(
    "circuit_breaker_state",
    "Is what is outside asked (0), tried with one call (1), or left alone (2)?",
    Label("breaker", limit=16),
)
SUPERVISOR_CHILDREN_EXPECTED = gauge("supervisor_children_expected", "How many actors should run?")
SUPERVISOR_CHILDREN_RUNNING = gauge("supervisor_children_running", "How many actors do run?")
WORKER_POOL_SIZE = gauge("worker_pool_size", "How many workers does the pool have?", _POOL)
WORKER_POOL_SIZE_MAX = gauge("worker_pool_size_max", "How many workers may the pool have?", _POOL)
WORKER_POOL_BUSY = gauge("worker_pool_busy", "How many workers of the pool are at work?", _POOL)

# --- Runtime ------------------------------------------------------------------------------

EVENT_LOOP_LAG_SECONDS = histogram(
    "event_loop_lag_seconds", "How much later than asked does a sleep of 100 ms end?", buckets=FAST_SECONDS
)
EVENT_LOOP_TASKS = gauge("event_loop_tasks", "How many trio tasks are alive?")
EVENT_LOOP_SLOW_STEPS_TOTAL = counter(
    "event_loop_slow_steps_total",
    "How often was the loop held for a quarter of a second or more (with RONDO_LOOP_WATCH=on: 50 ms)?",
)
PROCESS_CPU_LIMIT_CORES = gauge(
    "process_cpu_limit_cores",
    "How many cores can this process keep busy (cgroup limit or affinity, and one while the GIL is on)?",
)
PROCESS_MEMORY_LIMIT_BYTES = gauge(
    "process_memory_limit_bytes", "How much memory may this process use (cgroup limit, else all of it)?"
)
PROCESS_FILESYSTEM_AVAIL_BYTES = gauge(
    "process_filesystem_avail_bytes", "How many bytes are free where the service keeps data?", _MOUNTPOINT
)
PROCESS_FILESYSTEM_SIZE_BYTES = gauge(
    "process_filesystem_size_bytes", "How large is the file system where the service keeps data?", _MOUNTPOINT
)
SERVICE_INFO = gauge(
    "service_info",
    "Which build is running (always 1)?",
    Label("version", limit=4),
    Label("revision", limit=4),
    Label("python", limit=4),
    Label("platform", limit=4),
)
SERVICE_HEALTH_CHECK_STATUS = gauge(
    "service_health_check_status", "Which readiness checks pass (1) and which fail (0)?", _CHECK
)

# --- Telemetry about telemetry ------------------------------------------------------------

TELEMETRY_SPANS_EXPORTED_TOTAL = counter(
    "telemetry_spans_exported_total", "What became of the recorded spans?", _outcome("success", "failure", "dropped")
)
TELEMETRY_SPAN_QUEUE_DEPTH = gauge("telemetry_span_queue_depth", "How many spans wait for export?")
LOG_RECORDS_TOTAL = counter("log_records_total", "How many log records were written, by level?", _LEVEL)
LOG_RECORDS_DROPPED_TOTAL = counter(
    "log_records_dropped_total",
    "How many log records were lost to a full or failing sink?",
    Label("sink", ("stream", "access")),
)
METRICS_SCRAPE_DURATION_SECONDS = histogram(
    "metrics_scrape_duration_seconds", "How long does it take to render this page?", buckets=FAST_SECONDS
)


def render(accept: str | None = None) -> tuple[bytes, str]:
    """Return the page for `GET /metrics` and its content type.

    Args:
        accept: The request's `Accept` header. OpenMetrics (with exemplars) if it asks for it, else text.
    """
    started_at = time.perf_counter()
    page = exposition.render(REGISTRY, accept)
    METRICS_SCRAPE_DURATION_SECONDS.observe(time.perf_counter() - started_at)
    return page
