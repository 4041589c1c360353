-- Indexes and functions that make the contract's reads and writes cheap.

-- One index for "tasks of this project that hold these letters": without it a word that many people use costs everybody.
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- What 0002 does in one function, in two: PostgreSQL puts this one into the statement that calls it, since there is no
-- subselect inside, and a row then costs a third. The caller gathers the reminders, NULL when there are none.
CREATE FUNCTION task_json(t tasks, reminders json) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
    'id', t.id,
    'title', t.title,
    'description', t.description,
    'completed', t.completed_at IS NOT NULL,
    'completedAt', instant_text(t.completed_at),
    'priority', (ARRAY['low', 'medium', 'high', 'urgent'])[t.priority + 1],
    'tags', to_json(t.tags),
    'dueDate', coalesce(t.due_on::text, instant_text(t.due_at)),
    'timeZone', t.time_zone,
    'recurrence', CASE WHEN t.recurrence_rule IS NOT NULL THEN json_build_object(
        'rule', t.recurrence_rule, 'mode', t.recurrence_mode, 'missed', t.recurrence_missed) END,
    'reminders', coalesce(reminders, '[]'::json),
    'version', t.version,
    'createdAt', instant_text(t.created_at),
    'updatedAt', instant_text(t.updated_at)
);

CREATE OR REPLACE FUNCTION task_json(t tasks) RETURNS json
LANGUAGE sql STABLE
RETURN task_json(t, (
    SELECT json_agg(reminder_setting_json(r) ORDER BY r.created_at, r.id)
    FROM reminders r WHERE r.task_id = t.id AND r.deleted_at IS NULL));

-- Open and completed tasks apart: a page of the few that are open must not walk past years of completed ones. A page
-- of both is merged from one walk over each.
DROP INDEX tasks_by_creation, tasks_by_due, tasks_by_priority, tasks_by_title;
CREATE INDEX tasks_by_creation ON tasks (project_id, (completed_at IS NOT NULL), created_at, id)
    WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_due ON tasks (project_id, (completed_at IS NOT NULL), due_sort, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_priority ON tasks (project_id, (completed_at IS NOT NULL), priority, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_title ON tasks (project_id, (completed_at IS NOT NULL), title_sort, id) WHERE deleted_at IS NULL;

DROP INDEX tasks_by_tag, tasks_by_text;
CREATE INDEX tasks_by_text ON tasks USING gin (project_id, tag_keys, search_text gin_trgm_ops) WHERE deleted_at IS NULL;
