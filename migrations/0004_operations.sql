-- Dead letters that an operator can look at and send again.

ALTER TABLE dead_letters
    ADD COLUMN stack text NOT NULL DEFAULT '',
    ADD COLUMN requeued_as uuid,                        -- the id of the second try, and of its letter if that dies too
    ADD COLUMN requeued_from uuid;                      -- the letter that was sent again and became this one
CREATE INDEX dead_letters_by_age ON dead_letters (created_at, id);

-- Events that a follower is to handle once more; it takes them off in the transaction of their effect.
CREATE TABLE requeued_events (
    id uuid PRIMARY KEY,
    consumer text NOT NULL,
    position bigint NOT NULL,
    letter_id uuid NOT NULL,
    requeued_at timestamptz NOT NULL
);
CREATE INDEX requeued_events_by_consumer ON requeued_events (consumer, requeued_at, id);

-- What the letter shows of an event. The event itself stays where it is; a very large one is told without its states.
CREATE FUNCTION dead_letter_payload(e events) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object(
    'position', e.position, 'type', e.type, 'taskId', e.task_id, 'reminderId', e.reminder_id,
    'requestId', e.request_id, 'at', instant_text(e.occurred_at), 'detail', e.detail)
    || CASE WHEN coalesce(pg_column_size(e.before), 0) + coalesce(pg_column_size(e.after), 0) <= 16384
            THEN jsonb_build_object('before', e.before, 'after', e.after) ELSE '{}'::jsonb END;

CREATE FUNCTION dead_letter_json(l dead_letters) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
    'id', l.id,
    'actor', l.actor,
    'reason', l.reason,
    'position', l.position,
    'payload', l.payload,
    'error', l.error,
    'stack', l.stack,
    'traceId', nullif(split_part(coalesce(l.traceparent, ''), '-', 2), ''),
    'attempts', l.attempts,
    'at', instant_text(l.created_at),
    'requeuedAt', instant_text(l.requeued_at),
    'requeuedAs', l.requeued_as,
    'requeuedFrom', l.requeued_from
);
