-- An event costs less: to write, where many write at once, and to append to the audit trail
-- (python -m loadtest.bench_sql; docs/postgres.md).

-- The reference locked the event's project, a row that all who write in it share: each set of them was a MultiXact, made,
-- logged and looked up. Whoever writes an event of a task holds the task or its reminder, so whoever removes a project
-- (forget_account) waits for them there. An event of no task has nothing to hold: it goes on locking its project.
ALTER TABLE events DROP CONSTRAINT events_project_id_fkey;
CREATE FUNCTION hold_project() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM projects WHERE id = NEW.project_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'event % is of no project', NEW.id
            USING ERRCODE = 'foreign_key_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'events_project_id_fkey';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER events_of_a_project BEFORE INSERT ON events
    FOR EACH ROW WHEN (NEW.task_id IS NULL) EXECUTE FUNCTION hold_project();

-- As in 0006; events go after the tasks and reminders whose writers it waits for, so that none is written behind it.
CREATE OR REPLACE FUNCTION forget_account(leaving uuid, moment timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    alone uuid[];
BEGIN
    -- First those who follow the events, so that none of them is half way through one that goes; then whoever writes.
    PERFORM FROM relay_state FOR UPDATE;
    PERFORM FROM cursors ORDER BY consumer FOR UPDATE;
    PERFORM FROM accounts WHERE id = leaving FOR UPDATE;
    alone := ARRAY(
        SELECT m.project_id FROM memberships m WHERE m.account_id = leaving AND NOT EXISTS (
            SELECT FROM memberships o WHERE o.project_id = m.project_id AND o.account_id <> leaving));
    PERFORM FROM projects WHERE id = ANY (alone) ORDER BY id FOR UPDATE;

    DELETE FROM delivery_attempts a USING deliveries d, reminders r
        WHERE a.delivery_id = d.id AND d.reminder_id = r.id AND (r.project_id = ANY (alone) OR r.account_id = leaving);
    DELETE FROM deliveries d USING reminders r
        WHERE d.reminder_id = r.id AND (r.project_id = ANY (alone) OR r.account_id = leaving);
    DELETE FROM reminders WHERE project_id = ANY (alone) OR account_id = leaving;
    DELETE FROM tasks WHERE project_id = ANY (alone);

    INSERT INTO removed_chains (project_id, seq, hash, removed_at)
        SELECT p.id, coalesce(h.seq, 0), coalesce(h.hash, '\x'::bytea), moment
        FROM unnest(alone) AS p(id) LEFT JOIN audit_heads h ON h.project_id = p.id;
    DELETE FROM audit_log WHERE project_id = ANY (alone);
    DELETE FROM audit_heads WHERE project_id = ANY (alone);
    DELETE FROM requeued_events WHERE position IN (SELECT e.position FROM events e WHERE e.project_id = ANY (alone));
    DELETE FROM dead_letters l
        WHERE l.position IN (SELECT e.position FROM events e WHERE e.project_id = ANY (alone))
           OR EXISTS (SELECT FROM unnest(alone || leaving) AS whose(id) WHERE l.payload::text LIKE '%' || whose.id || '%');
    DELETE FROM events WHERE project_id = ANY (alone);
    DELETE FROM occurrences WHERE project_id = ANY (alone);
    DELETE FROM projects WHERE id = ANY (alone);
    DELETE FROM accounts WHERE id = leaving;
END $$;

-- As in 0013, {field: [old, new]} for every field that differs; as a table, which PostgreSQL puts into the statement that
-- asks for it. As a value it was a statement of its own for every event.
DROP FUNCTION changed_fields(jsonb, jsonb);
CREATE FUNCTION changed_fields(before jsonb, after jsonb) RETURNS TABLE (changes jsonb)
LANGUAGE sql IMMUTABLE
AS $$
    SELECT coalesce(jsonb_object_agg(key, jsonb_build_array(before -> key, after -> key)), '{}'::jsonb)
    FROM (SELECT jsonb_object_keys(coalesce(before || after, after, before)) AS key) AS keys
    WHERE key NOT IN ('version', 'updatedAt') AND before -> key IS DISTINCT FROM after -> key
$$;

-- As in 0009, with the changed fields from the statement that reads the events.
CREATE OR REPLACE FUNCTION append_audit(batch integer)
RETURNS TABLE (appended integer, last_position bigint, actions text[])
LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
    event record;
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
        SELECT e.position, e.project_id, e.type, e.task_id, e.account_id, e.session_id, e.request_id, e.occurred_at,
               f.changes
        FROM (SELECT * FROM events e WHERE e.position > reached ORDER BY e.position LIMIT batch) AS e,
             changed_fields(e.before, e.after) AS f
        ORDER BY e.project_id, e.position
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
            event.session_id, event.request_id, event.occurred_at, event.changes, head.hash, NULL);
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
