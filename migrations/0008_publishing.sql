-- What the relay does in one go: one round trip instead of five, and the notification comes with the commit.

-- Gives up to `most` committed events their positions; returns how many. 0 as well when the lease is not the holder's:
-- a process that slept through its lease cannot write. `teller` is the notification's text.
--
-- The function is VOLATILE, so each of its statements has a snapshot of its own (PostgreSQL, "Function Volatility
-- Categories"): the second one's is newer than the lock that the first one waited for.
CREATE FUNCTION publish_events(holder uuid, most integer, teller text) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    newest bigint;
    reached bigint;
BEGIN
    SELECT s.last_position INTO newest
    FROM relay_state s JOIN leases l ON l.name = 'relay' AND l.holder = publish_events.holder AND l.expires_at > now()
    FOR UPDATE OF s;
    IF newest IS NULL THEN
        RETURN 0;
    END IF;
    WITH batch AS (
        SELECT seq, row_number() OVER (ORDER BY seq) AS n
        FROM (SELECT seq FROM events WHERE position IS NULL ORDER BY seq LIMIT most) AS waiting
    ), numbered AS (
        UPDATE events e SET position = newest + batch.n FROM batch WHERE e.seq = batch.seq RETURNING e.position
    )
    UPDATE relay_state SET last_position = newest + (SELECT count(*) FROM numbered)
    WHERE EXISTS (SELECT FROM numbered)
    RETURNING last_position INTO reached;
    IF reached IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM pg_notify('rondo_events', teller);
    RETURN reached - newest;
END;
$$;
