-- A task is written out as JSON when it is changed, not whenever it is looked at: for a page that takes a quarter of the
-- time. One trigger does it, and with it what took ten CHECKs and three generated columns, whose texts PostgreSQL parses
-- anew for every statement that writes: a write takes three quarters. (python -m loadtest.bench_sql; docs/postgres.md)

-- As in 0009; only that a date is written the same whatever DateStyle a connection has, since it is kept now.
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
    coalesce(to_char(t.due_on, 'YYYY-MM-DD'), instant_text(t.due_at)),
    t.time_zone,
    CASE WHEN t.recurrence_rule IS NOT NULL THEN json_build_object(
        'rule', t.recurrence_rule, 'mode', t.recurrence_mode, 'missed', t.recurrence_missed) END,
    coalesce(reminders, '[]'::json),
    t.version,
    instant_text(t.created_at),
    instant_text(t.updated_at)
)::task_view);

CREATE FUNCTION reminders_of(task uuid) RETURNS json
LANGUAGE sql STABLE
RETURN (SELECT json_agg(reminder_setting_json(r) ORDER BY r.created_at, r.id)
        FROM reminders r WHERE r.task_id = task AND r.deleted_at IS NULL);

-- Added empty, then filled: what fills a column may look at the row, what it begins with may not. It is one pass, which
-- leaves no old versions behind and builds each index in one go.
ALTER TABLE tasks
    ADD COLUMN reminders json,                          -- what `json` says of them; null when there are none
    ADD COLUMN json text;                               -- the task as the API shows it
ALTER TABLE tasks
    ALTER COLUMN reminders TYPE json USING reminders_of(id),
    ALTER COLUMN json TYPE text USING task_json(tasks, reminders_of(id))::text;
ALTER TABLE tasks ALTER COLUMN json SET NOT NULL;

ALTER TABLE tasks
    ALTER COLUMN due_sort DROP EXPRESSION,
    ALTER COLUMN title_sort DROP EXPRESSION,
    ALTER COLUMN search_text DROP EXPRESSION,
    DROP CONSTRAINT tasks_title_check,
    DROP CONSTRAINT tasks_description_check,
    DROP CONSTRAINT tasks_priority_check,
    DROP CONSTRAINT tasks_tags_check,
    DROP CONSTRAINT tasks_recurrence_mode_check,
    DROP CONSTRAINT tasks_recurrence_missed_check,
    DROP CONSTRAINT tasks_check,
    DROP CONSTRAINT tasks_check1,
    DROP CONSTRAINT tasks_check2,
    DROP CONSTRAINT tasks_check3;

-- Whoever writes a task, this is what it has to be, and what follows from it.
CREATE FUNCTION write_out_task() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    -- As in a CHECK, what is not known is not wrong.
    IF NOT (
        char_length(NEW.title) BETWEEN 1 AND 500
        AND octet_length(NEW.description) <= 65536
        AND NEW.priority BETWEEN 0 AND 3
        AND cardinality(NEW.tags) <= 100
        AND (NEW.due_on IS NULL OR NEW.due_at IS NULL)
        AND NEW.recurrence_mode IN ('schedule', 'afterCompletion') IS NOT FALSE
        AND NEW.recurrence_missed IN ('skip', 'keep') IS NOT FALSE
        AND num_nulls(NEW.recurrence_rule, NEW.recurrence_mode, NEW.recurrence_missed, NEW.series_id) IN (0, 4)
    ) THEN
        RAISE EXCEPTION 'task % is not what a task may be', NEW.id
            USING ERRCODE = 'check_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'tasks_written_out';
    END IF;
    NEW.due_sort := coalesce(NEW.due_at, NEW.due_on::timestamp AT TIME ZONE 'UTC');
    NEW.title_sort := lower(NEW.title);
    NEW.search_text := lower(NEW.title || E'\n' || NEW.description || E'\n' || array_to_string(NEW.tags, E'\n'));
    NEW.json := task_json(NEW, NEW.reminders);
    RETURN NEW;
END $$;
CREATE TRIGGER tasks_written_out BEFORE INSERT OR UPDATE ON tasks
    FOR EACH ROW EXECUTE FUNCTION write_out_task();
ALTER TABLE tasks ENABLE ALWAYS TRIGGER tasks_written_out;  -- like a CHECK, whatever session_replication_role is

-- A task lists its reminders: when one comes, goes, or is set otherwise, it is written out anew.
CREATE FUNCTION list_reminders() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tasks SET reminders = reminders_of(id) WHERE id IN (SELECT task_id FROM changed);
    RETURN NULL;
END $$;
CREATE TRIGGER reminders_listed_when_new AFTER INSERT ON reminders REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION list_reminders();
CREATE TRIGGER reminders_listed_when_gone AFTER DELETE ON reminders REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION list_reminders();

-- Row by row: most of what becomes of a reminder (fired, snoozed) is no change of its task, and then nothing is called.
CREATE FUNCTION list_reminder() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tasks SET reminders = reminders_of(id) WHERE id = NEW.task_id;
    RETURN NULL;
END $$;
CREATE TRIGGER reminders_listed_when_changed AFTER UPDATE OF remind_at, before, channels, deleted_at ON reminders
    FOR EACH ROW
    WHEN ((OLD.remind_at, OLD.before, OLD.channels, OLD.deleted_at)
          IS DISTINCT FROM (NEW.remind_at, NEW.before, NEW.channels, NEW.deleted_at))
    EXECUTE FUNCTION list_reminder();
