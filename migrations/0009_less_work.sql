-- The same for less: how a task is written as JSON, how its text is gathered, how the audit trail grows.

-- What a task looks like in the API, with the names and in the order that the API has.
CREATE TYPE task_view AS (
    id uuid,
    title text,
    description text,
    completed boolean,
    "completedAt" text,
    priority text,
    tags text[],
    "dueDate" text,
    "timeZone" text,
    recurrence json,
    reminders json,
    version integer,
    "createdAt" text,
    "updatedAt" text
);

-- As in 0005, from a row instead of from pairs, whose names PostgreSQL quotes and whose types it looks up anew for each
-- task: it takes a third less (python -m loadtest.bench_sql).
CREATE OR REPLACE FUNCTION task_json(t tasks, reminders json) RETURNS json
LANGUAGE sql STABLE
RETURN row_to_json(ROW(
    t.id,
    t.title,
    t.description,
    t.completed_at IS NOT NULL,
    instant_text(t.completed_at),
    (ARRAY['low', 'medium', 'high', 'urgent'])[t.priority + 1],
    t.tags,
    coalesce(t.due_on::text, instant_text(t.due_at)),
    t.time_zone,
    CASE WHEN t.recurrence_rule IS NOT NULL THEN json_build_object(
        'rule', t.recurrence_rule, 'mode', t.recurrence_mode, 'missed', t.recurrence_missed) END,
    coalesce(reminders, '[]'::json),
    t.version,
    instant_text(t.created_at),
    instant_text(t.updated_at)
)::task_view);

-- What a generated column calls is planned anew for every statement, and a function in SQL is parsed for it each time.
CREATE OR REPLACE FUNCTION lines_of(lines text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$ BEGIN RETURN array_to_string(lines, E'\n'); END $$;

-- As in 0003, chain by chain: rows and heads are written once per batch, not once per event. Under load a head had a
-- hundred dead versions, which every look at it had to pass.
CREATE OR REPLACE FUNCTION append_audit(batch integer)
RETURNS TABLE (appended integer, last_position bigint, actions text[])
LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
    event events;
    head audit_heads;
    entry audit_log;
    entries audit_log[] := '{}';
    heads audit_heads[] := '{}';
BEGIN
    actions := '{}';
    SELECT c.position INTO reached FROM cursors c WHERE c.consumer = 'audit' FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO cursors (consumer) VALUES ('audit') ON CONFLICT DO NOTHING;
        SELECT c.position INTO reached FROM cursors c WHERE c.consumer = 'audit' FOR UPDATE;
    END IF;
    last_position := reached;
    FOR event IN
        SELECT * FROM (SELECT * FROM events e WHERE e.position > reached ORDER BY e.position LIMIT batch) AS next_ones
        ORDER BY project_id, position
    LOOP
        IF head.project_id IS DISTINCT FROM event.project_id THEN
            IF head.project_id IS NOT NULL THEN
                heads := heads || head;
            END IF;
            SELECT * INTO head FROM audit_heads h WHERE h.project_id = event.project_id;
            IF NOT FOUND THEN
                head := ROW(event.project_id, 0, '\x'::bytea);
            END IF;
        END IF;
        entry := ROW(event.position, event.project_id, head.seq + 1, event.type, event.task_id, event.account_id,
            event.session_id, event.request_id, event.occurred_at,
            changed_fields(event.before, event.after), head.hash, NULL);
        entry.hash := audit_hash(entry);
        entries := entries || entry;
        head.seq := entry.seq;
        head.hash := entry.hash;
        actions := actions || event.type;
        last_position := greatest(last_position, event.position);
    END LOOP;
    appended := cardinality(entries);
    IF appended > 0 THEN
        INSERT INTO audit_log SELECT * FROM unnest(entries);
        INSERT INTO audit_heads SELECT * FROM unnest(heads || head)
            ON CONFLICT (project_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash;
        UPDATE cursors c SET position = last_position, updated_at = now() WHERE c.consumer = 'audit';
    END IF;
    RETURN NEXT;
END $$;
