-- Tells every process that serves when somebody is signed out, whoever did it: this Rondo, the command line, another
-- process, an administrator in psql. In the transaction that does it, so nobody hears of what did not happen (X05).

CREATE FUNCTION tell_revoked() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rondo_revoked', OLD.id::text);
    RETURN NULL;
END $$;

CREATE TRIGGER sessions_revoked
AFTER UPDATE OF revoked_at ON sessions FOR EACH ROW
WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
EXECUTE FUNCTION tell_revoked();

CREATE TRIGGER sessions_removed
AFTER DELETE ON sessions FOR EACH ROW
WHEN (OLD.revoked_at IS NULL)
EXECUTE FUNCTION tell_revoked();

CREATE TRIGGER accounts_disabled
AFTER UPDATE OF disabled_at ON accounts FOR EACH ROW
WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL)
EXECUTE FUNCTION tell_revoked();
