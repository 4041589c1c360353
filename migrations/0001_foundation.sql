-- The facts of Rondo: accounts, projects, tasks, reminders, the event log and what follows it.
-- Instants end in _at (timestamptz), dates in _on (date), durations in _seconds.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- RFC 3339 in UTC with as many fractional digits as there are, none when there are none.
CREATE FUNCTION instant_text(moment timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (to_json(moment AT TIME ZONE 'UTC') #>> '{}') || 'Z';

-- array_to_string is only STABLE for all types; for text it is as good as IMMUTABLE, which a generated column needs.
CREATE FUNCTION lines_of(lines text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT array_to_string(lines, E'\n') $$;

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    email_key text NOT NULL UNIQUE,                     -- normalised: what makes two addresses the same
    name text NOT NULL DEFAULT '',
    password_hash text NOT NULL,
    time_zone text NOT NULL DEFAULT 'UTC',
    week_start smallint NOT NULL DEFAULT 1 CHECK (week_start BETWEEN 1 AND 7),   -- ISO: Monday is 1
    quiet_from time,
    quiet_to time,
    operator boolean NOT NULL DEFAULT false,
    disabled_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
);

CREATE TABLE projects (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL DEFAULT 'project' CHECK (kind IN ('inbox', 'project')),
    created_at timestamptz NOT NULL
);

CREATE TABLE memberships (
    project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
    inbox boolean NOT NULL DEFAULT false,               -- this project is the account's Inbox
    PRIMARY KEY (account_id, project_id)
);
CREATE INDEX memberships_by_project ON memberships (project_id);
CREATE UNIQUE INDEX memberships_one_inbox ON memberships (account_id) WHERE inbox;

-- Opaque tokens: only their SHA-256 is kept (a token has 256 random bits, so a slow hash adds nothing).
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    client text NOT NULL DEFAULT '',
    address text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_by_account ON sessions (account_id);

-- GCRA: one instant per key says when the bucket would be empty again.
CREATE TABLE rate_limits (
    key text PRIMARY KEY,
    theoretical_arrival_at timestamptz NOT NULL
);
CREATE INDEX rate_limits_by_age ON rate_limits (theoretical_arrival_at);

CREATE TABLE idempotency_keys (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    key text NOT NULL,
    request_hash bytea NOT NULL,                        -- SHA-256 over method, path and body
    response text,                                      -- what was answered, byte for byte; null only inside its transaction
    version integer,                                    -- of what was answered, for the ETag
    subject_id uuid,                                    -- its id, for the Location
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE tasks (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL REFERENCES projects,
    title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 500),
    description text NOT NULL DEFAULT '' CHECK (octet_length(description) <= 65536),
    priority smallint NOT NULL DEFAULT 1 CHECK (priority BETWEEN 0 AND 3),       -- low, medium, high, urgent
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 100),
    tag_keys text[] NOT NULL DEFAULT '{}',              -- case-folded, in the order of tags
    due_on date,
    due_at timestamptz,
    time_zone text,                                     -- IANA; null = floating, follows the account
    wall_zone text NOT NULL DEFAULT 'UTC',              -- the zone due_at was last read in: a floating task follows its owner
    recurrence_rule text,
    recurrence_mode text CHECK (recurrence_mode IN ('schedule', 'afterCompletion')),
    recurrence_missed text CHECK (recurrence_missed IN ('skip', 'keep')),
    recurrence_anchor text,                             -- local wall clock or date, ISO 8601: all occurrences come from it
    recurrence_current text,                            -- the occurrence this task stands for, ISO 8601 local
    recurrence_number integer,                          -- 1 for the first
    series_id uuid,                                     -- shared by the occurrences of one recurring task
    generated_from uuid,                                -- the occurrence whose completion made this one
    completed_at timestamptz,
    deleted_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    due_sort timestamptz GENERATED ALWAYS AS (coalesce(due_at, due_on::timestamp AT TIME ZONE 'UTC')) STORED,
    title_sort text COLLATE "C" GENERATED ALWAYS AS (lower(title)) STORED,
    search_text text GENERATED ALWAYS AS (lower(title || E'\n' || description || E'\n' || lines_of(tags))) STORED,
    CHECK (due_on IS NULL OR due_at IS NULL),
    CHECK ((recurrence_rule IS NULL) = (recurrence_mode IS NULL)),
    CHECK ((recurrence_rule IS NULL) = (recurrence_missed IS NULL)),
    CHECK ((recurrence_rule IS NULL) = (series_id IS NULL))
);
-- One next occurrence per completion and one task per occurrence of a series, whoever tries (T9).
CREATE UNIQUE INDEX tasks_one_next ON tasks (generated_from) WHERE generated_from IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX tasks_by_creation ON tasks (project_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_due ON tasks (project_id, due_sort, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_priority ON tasks (project_id, priority, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_title ON tasks (project_id, title_sort, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_series ON tasks (series_id) WHERE series_id IS NOT NULL;
CREATE INDEX tasks_by_tag ON tasks USING gin (tag_keys) WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_text ON tasks USING gin (search_text gin_trgm_ops) WHERE deleted_at IS NULL;

CREATE TABLE reminders (
    id uuid PRIMARY KEY,
    task_id uuid NOT NULL REFERENCES tasks,
    project_id uuid NOT NULL REFERENCES projects,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- who is reminded
    remind_at timestamptz,
    before text,                                        -- ISO 8601 duration as given, e.g. PT15M
    before_seconds bigint CHECK (before_seconds >= 0),
    channels text[] NOT NULL CHECK (cardinality(channels) BETWEEN 1 AND 10),
    state text NOT NULL DEFAULT 'scheduled'
        CHECK (state IN ('scheduled', 'waiting', 'fired', 'acknowledged', 'cancelled')),
    fire_at timestamptz,                                -- derived; null while there is nothing to count from
    occurrence integer NOT NULL DEFAULT 1,              -- grows with every snooze: one firing each
    fired_at timestamptz,
    acknowledged_at timestamptz,
    snoozed_until timestamptz,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((remind_at IS NULL) <> (before IS NULL)),
    CHECK ((before IS NULL) = (before_seconds IS NULL)),
    CHECK (state <> 'scheduled' OR fire_at IS NOT NULL)
);
CREATE INDEX reminders_by_task ON reminders (task_id) WHERE deleted_at IS NULL;
-- The index is the heap: no timer wheel, the next one due is one step away.
CREATE INDEX reminders_due ON reminders (fire_at) WHERE state = 'scheduled' AND deleted_at IS NULL;

-- The delivery ledger: effects outside the database, at least once, with a stable de-duplication key.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    reminder_id uuid NOT NULL REFERENCES reminders,
    occurrence integer NOT NULL,
    channel text NOT NULL,
    address text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed', 'cancelled', 'expired')),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    next_attempt_at timestamptz,
    claimed_until timestamptz,
    claim_term bigint NOT NULL DEFAULT 0,               -- fencing: only the newest claim may record its outcome
    message_id text NOT NULL,                           -- stable, so that a repeated mail is recognised as the same
    traceparent text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (reminder_id, occurrence, channel)
);
CREATE INDEX deliveries_waiting ON deliveries (next_attempt_at) WHERE state = 'pending';

CREATE TABLE delivery_attempts (
    delivery_id uuid NOT NULL REFERENCES deliveries,
    attempt integer NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    outcome text CHECK (outcome IN ('sent', 'retry', 'failed')),   -- null: begun, and never heard of again
    response text NOT NULL DEFAULT '',                  -- what the provider said
    PRIMARY KEY (delivery_id, attempt)
);

-- What became of every occurrence of a series; written by the recurring actor.
CREATE TABLE occurrences (
    series_id uuid NOT NULL,
    occurrence text NOT NULL,                           -- ISO 8601 local, as tasks.recurrence_current
    project_id uuid NOT NULL REFERENCES projects,
    task_id uuid,
    state text NOT NULL CHECK (state IN ('done', 'missed', 'skipped', 'deleted')),
    due text NOT NULL,
    completed_at timestamptz,
    account_id uuid,
    position bigint NOT NULL,                           -- of the event that says so
    PRIMARY KEY (series_id, occurrence)
);

-- The spine. A row is written in the transaction it tells of; the relay gives it its position afterwards.
CREATE TABLE events (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- assigned before commit: an order per task, never a cursor
    position bigint UNIQUE,                             -- gapless, monotonic, after commit: the one order all readers share
    id uuid NOT NULL UNIQUE,
    type text NOT NULL,
    project_id uuid NOT NULL REFERENCES projects,
    task_id uuid,
    reminder_id uuid,
    account_id uuid,                                    -- who did it; null = Rondo itself
    session_id uuid,
    request_id text,
    traceparent text,
    occurred_at timestamptz NOT NULL,
    before jsonb,
    after jsonb,
    detail jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX events_unpublished ON events (seq) WHERE position IS NULL;
CREATE INDEX events_by_project ON events (project_id, position);

CREATE TABLE relay_state (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    last_position bigint NOT NULL DEFAULT 0
);
INSERT INTO relay_state DEFAULT VALUES;

CREATE TABLE leases (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    term bigint NOT NULL DEFAULT 1,
    expires_at timestamptz NOT NULL
);

CREATE TABLE cursors (
    consumer text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Messages that an actor could not handle, kept for an operator to look at and requeue.
CREATE TABLE dead_letters (
    id uuid PRIMARY KEY,
    actor text NOT NULL,
    reason text NOT NULL,
    position bigint,
    payload jsonb NOT NULL,
    error text NOT NULL,
    traceparent text,
    attempts integer NOT NULL,
    created_at timestamptz NOT NULL,
    requeued_at timestamptz
);
CREATE INDEX dead_letters_by_actor ON dead_letters (actor, created_at);
