-- The index of texts moves off the table of tasks, and is kept by a follower of the event log: a change of a task that
-- leaves its words alone touches it no longer, no write waits for it, and words are merged into it many at a time.
-- (Why, with figures: docs/postgres.md and python -m loadtest.bench_sql.)

-- The words of tasks as far as the cursor `search` has come. A task with an event behind that cursor may have other
-- words by now; whoever searches looks at it itself. Tasks that were deleted have none.
CREATE TABLE task_texts (
    task_id uuid PRIMARY KEY,                           -- no reference: each row would lock its task
    project_id uuid NOT NULL,
    tag_keys text[] NOT NULL,
    search_text text NOT NULL
);

-- First the cursor, then what it has passed: an event in between is looked at twice, and none is missed.
INSERT INTO cursors (consumer, position) SELECT 'search', last_position FROM relay_state;
INSERT INTO task_texts SELECT id, project_id, tag_keys, search_text FROM tasks WHERE deleted_at IS NULL;
CREATE INDEX task_texts_by_words ON task_texts USING gin (project_id, tag_keys, search_text gin_trgm_ops);
DROP INDEX tasks_by_text;

-- Brings the words of the next `batch` events' tasks up to date; returns how many events that were, and the position
-- reached. It goes by what the tasks are now, not by what the events say: looked at twice, a task is the same.
--
-- VOLATILE, so each statement has a snapshot of its own: that of the second is newer than the lock on the cursor.
CREATE FUNCTION index_texts(batch integer, OUT handled bigint, OUT reached bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    since bigint;
    touched uuid[];
BEGIN
    SELECT c.position INTO STRICT since FROM cursors c WHERE c.consumer = 'search' FOR UPDATE;
    SELECT count(*), coalesce(max(position), since), array_agg(DISTINCT task_id) INTO handled, reached, touched
    FROM (SELECT position, task_id FROM events WHERE position > since ORDER BY position LIMIT batch) AS next_ones;
    IF handled = 0 THEN
        RETURN;
    END IF;
    DELETE FROM task_texts x USING tasks t
    WHERE x.task_id = ANY (touched) AND t.id = x.task_id AND t.deleted_at IS NOT NULL;
    INSERT INTO task_texts (task_id, project_id, tag_keys, search_text)
    SELECT t.id, t.project_id, t.tag_keys, t.search_text FROM tasks t LEFT JOIN task_texts x ON x.task_id = t.id
    WHERE t.id = ANY (touched) AND t.deleted_at IS NULL
      AND (t.project_id, t.tag_keys, t.search_text) IS DISTINCT FROM (x.project_id, x.tag_keys, x.search_text)
    ON CONFLICT (task_id) DO UPDATE
        SET project_id = excluded.project_id, tag_keys = excluded.tag_keys, search_text = excluded.search_text;
    -- What was inserted waits beside the index, and every search reads all that waits: here it is merged in one go.
    IF FOUND THEN
        PERFORM gin_clean_pending_list('task_texts_by_words');
    END IF;
    UPDATE cursors c SET position = reached, updated_at = now() WHERE c.consumer = 'search';
END $$;

-- Accounts that leave take their tasks along (0006).
CREATE FUNCTION forget_texts() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM task_texts WHERE task_id IN (SELECT id FROM gone);
    RETURN NULL;
END $$;
CREATE TRIGGER tasks_forgotten AFTER DELETE ON tasks REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_texts();
