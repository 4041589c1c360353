-- The JSON of the API is built here, once, and passed through by Python as bytes.

CREATE FUNCTION reminder_setting_json(r reminders) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
    'id', r.id, 'remindAt', instant_text(r.remind_at), 'before', r.before, 'channels', to_json(r.channels)
);

-- Settings only: what a reminder does later (fired, snoozed) is no change of the task and must not move its version.
CREATE FUNCTION task_json(t tasks) RETURNS json
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
    'reminders', coalesce(
        (SELECT json_agg(reminder_setting_json(r) ORDER BY r.created_at, r.id)
         FROM reminders r WHERE r.task_id = t.id AND r.deleted_at IS NULL), '[]'::json),
    'version', t.version,
    'createdAt', instant_text(t.created_at),
    'updatedAt', instant_text(t.updated_at)
);

CREATE FUNCTION reminder_json(r reminders) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
    'id', r.id,
    'taskId', r.task_id,
    'remindAt', instant_text(r.remind_at),
    'before', r.before,
    'channels', to_json(r.channels),
    'state', r.state,
    'fireAt', instant_text(r.fire_at),
    'firedAt', instant_text(r.fired_at),
    'acknowledgedAt', instant_text(r.acknowledged_at),
    'snoozedUntil', instant_text(r.snoozed_until),
    'createdAt', instant_text(r.created_at)
);

CREATE FUNCTION account_json(a accounts) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
    'id', a.id,
    'email', a.email,
    'name', a.name,
    'timeZone', a.time_zone,
    'weekStart', (ARRAY['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'])[a.week_start],
    'quietHours', CASE WHEN a.quiet_from IS NOT NULL THEN json_build_object(
        'from', to_char(a.quiet_from, 'HH24:MI'), 'to', to_char(a.quiet_to, 'HH24:MI')) END,
    'operator', a.operator,
    'createdAt', instant_text(a.created_at)
);
