-- Accounts that leave, and what is left of them.

-- A chain of the audit trail that went as a whole, with the project it told of: that there was one, how long it was and
-- how it ended. No name and no word of anybody's. Against an exported head it says "removed", not "tampered with".
CREATE TABLE removed_chains (
    project_id uuid PRIMARY KEY,                        -- no reference: the project is gone
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    removed_at timestamptz NOT NULL,
    removed_in xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE TRIGGER removed_chains_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON removed_chains
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A row of the trail may go only in the transaction that says of its whole chain that it goes, and never comes back.
CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM removed_chains r
                   WHERE r.project_id = OLD.project_id AND r.removed_in = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;
DROP TRIGGER audit_log_is_append_only ON audit_log;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_goes_as_a_whole BEFORE DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_removal();

-- Without it, each task that is deleted would be looked for in all reminders.
CREATE INDEX reminders_by_any_task ON reminders (task_id);

-- Removes an account and everything that is nobody else's. Projects that it shares with others stay, and so do their
-- chains: there it is an id that leads nowhere.
CREATE FUNCTION forget_account(leaving uuid, moment timestamptz) RETURNS void
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
    DELETE FROM delivery_attempts a USING deliveries d, reminders r
        WHERE a.delivery_id = d.id AND d.reminder_id = r.id AND (r.project_id = ANY (alone) OR r.account_id = leaving);
    DELETE FROM deliveries d USING reminders r
        WHERE d.reminder_id = r.id AND (r.project_id = ANY (alone) OR r.account_id = leaving);
    DELETE FROM reminders WHERE project_id = ANY (alone) OR account_id = leaving;
    DELETE FROM tasks WHERE project_id = ANY (alone);
    DELETE FROM projects WHERE id = ANY (alone);
    DELETE FROM accounts WHERE id = leaving;
END $$;
