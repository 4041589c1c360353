-- The audit trail: one row per event, chained by hash per project, never changed.

CREATE TABLE audit_log (
    position bigint PRIMARY KEY,                        -- of the event
    project_id uuid NOT NULL REFERENCES projects,       -- the chain
    seq bigint NOT NULL,                                -- 1, 2, 3 … within the chain
    action text NOT NULL,
    task_id uuid,
    account_id uuid,
    session_id uuid,
    request_id text,
    at timestamptz NOT NULL,
    changes jsonb NOT NULL,                             -- {field: [old, new]}
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    UNIQUE (project_id, seq)
);
CREATE INDEX audit_log_by_project ON audit_log (project_id, position DESC);
CREATE INDEX audit_log_by_task ON audit_log (task_id, position DESC) WHERE task_id IS NOT NULL;

-- Where each chain ends, so that a cut-off tail is seen.
CREATE TABLE audit_heads (
    project_id uuid PRIMARY KEY REFERENCES projects,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- h(n) = SHA-256(h(n-1) || canonical(row n)); jsonb's text form is canonical (sorted keys, one spelling).
CREATE FUNCTION audit_hash(a audit_log) RETURNS bytea
LANGUAGE sql STABLE
RETURN sha256(a.previous_hash || convert_to(jsonb_build_array(
    a.position, a.project_id, a.seq, a.action, a.task_id, a.account_id, a.session_id, a.request_id,
    (extract(epoch FROM a.at) * 1000000)::bigint, a.changes)::text, 'UTF8'));

-- {field: [old, new]} for every field that differs; version and updatedAt follow from there being a change at all.
CREATE FUNCTION changed_fields(before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
    SELECT coalesce(jsonb_object_agg(key, jsonb_build_array(before -> key, after -> key)), '{}'::jsonb)
    FROM (SELECT jsonb_object_keys(coalesce(before, '{}') || coalesce(after, '{}')) AS key) AS keys
    WHERE key NOT IN ('version', 'updatedAt') AND before -> key IS DISTINCT FROM after -> key
$$;

-- Append the next events to their chains and move the cursor, in the caller's transaction.
CREATE FUNCTION append_audit(batch integer) RETURNS TABLE (appended integer, last_position bigint, actions text[])
LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
    event events;
    head audit_heads;
    entry audit_log;
BEGIN
    appended := 0;
    actions := '{}';
    SELECT c.position INTO reached FROM cursors c WHERE c.consumer = 'audit' FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO cursors (consumer) VALUES ('audit') ON CONFLICT DO NOTHING;
        SELECT c.position INTO reached FROM cursors c WHERE c.consumer = 'audit' FOR UPDATE;
    END IF;
    FOR event IN SELECT * FROM events e WHERE e.position > reached ORDER BY e.position LIMIT batch LOOP
        SELECT * INTO head FROM audit_heads h WHERE h.project_id = event.project_id;
        IF NOT FOUND THEN
            head := ROW(event.project_id, 0, '\x'::bytea);
        END IF;
        entry := ROW(event.position, event.project_id, head.seq + 1, event.type, event.task_id, event.account_id,
            event.session_id, event.request_id, event.occurred_at,
            changed_fields(event.before, event.after), head.hash, NULL);
        entry.hash := audit_hash(entry);
        INSERT INTO audit_log SELECT entry.*;
        INSERT INTO audit_heads VALUES (entry.project_id, entry.seq, entry.hash)
            ON CONFLICT (project_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash;
        appended := appended + 1;
        actions := actions || event.type;
        reached := event.position;
    END LOOP;
    IF appended > 0 THEN
        UPDATE cursors c SET position = reached, updated_at = now() WHERE c.consumer = 'audit';
    END IF;
    last_position := reached;
    RETURN NEXT;
END $$;

-- Walk the given chains (all when null). A break is the first place where a chain is not what it says it is:
-- a wrong hash (changed), a wrong link or number (deleted, inserted, swapped), a cut tail, an event without its row.
CREATE FUNCTION verify_audit(chains uuid[]) RETURNS TABLE (checked bigint, first_break bigint, reason text)
LANGUAGE sql STABLE AS $$
    WITH walked AS (
        SELECT a.position, a.project_id, a.hash = audit_hash(a) AS intact,
               a.seq = row_number() OVER chain AS numbered,
               a.previous_hash = coalesce(lag(a.hash) OVER chain, '\x'::bytea) AS linked
        FROM audit_log a WHERE chains IS NULL OR a.project_id = ANY (chains)
        WINDOW chain AS (PARTITION BY a.project_id ORDER BY a.seq)
    ), breaks AS (
        SELECT position, CASE WHEN NOT intact THEN 'changed' WHEN NOT numbered THEN 'missing' ELSE 'unlinked' END AS reason
        FROM walked WHERE NOT (intact AND numbered AND linked)
        UNION ALL
        SELECT coalesce(a.position, 0), 'head'
        FROM audit_heads h
        LEFT JOIN LATERAL (SELECT l.position, l.seq, l.hash FROM audit_log l WHERE l.project_id = h.project_id
                           ORDER BY l.seq DESC LIMIT 1) a ON true
        WHERE (chains IS NULL OR h.project_id = ANY (chains))
          AND (a.seq, a.hash) IS DISTINCT FROM (h.seq, h.hash)
        UNION ALL
        SELECT e.position, 'missing'
        FROM events e LEFT JOIN audit_log a USING (position)
        WHERE (chains IS NULL OR e.project_id = ANY (chains)) AND a.position IS NULL
          AND e.position <= (SELECT c.position FROM cursors c WHERE c.consumer = 'audit')
        UNION ALL
        SELECT a.position, 'foreign'
        FROM audit_log a LEFT JOIN events e USING (position)
        WHERE (chains IS NULL OR a.project_id = ANY (chains)) AND e.position IS NULL
    )
    SELECT (SELECT count(*) FROM walked), b.position, b.reason
    FROM (SELECT 1) AS one LEFT JOIN LATERAL (SELECT * FROM breaks ORDER BY position LIMIT 1) b ON true
$$;

CREATE FUNCTION audit_json(a audit_log) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
    'position', a.position,
    'action', a.action,
    'taskId', a.task_id,
    'actor', coalesce(a.account_id::text, 'system'),
    'at', instant_text(a.at),
    'changes', a.changes,
    'requestId', a.request_id,
    'hash', encode(a.hash, 'hex')
);
