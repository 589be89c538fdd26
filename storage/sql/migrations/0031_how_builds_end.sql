-- How many builds of the cluster have ended how, and how long they ran, for graphs: counted as they end, so that no scrape reads history.

CREATE TABLE build_endings (
    status  TEXT PRIMARY KEY,
    builds  INTEGER NOT NULL,
    seconds REAL NOT NULL
) STRICT, WITHOUT ROWID;
-- Of one that was stopped before its turn nothing ran.
INSERT INTO build_endings (status, builds, seconds)
SELECT status, count(*), coalesce(sum((julianday(ended_at) - julianday(started_at)) * 86400.0), 0.0)
FROM build_runs WHERE status IN ('complete', 'failed', 'cancelled') GROUP BY status;

CREATE TRIGGER builds_end AFTER UPDATE OF status ON build_runs
    WHEN NEW.status <> OLD.status AND NEW.status IN ('complete', 'failed', 'cancelled')
    BEGIN
        INSERT INTO build_endings (status, builds, seconds)
        VALUES (NEW.status, 1, coalesce((julianday(NEW.ended_at) - julianday(NEW.started_at)) * 86400.0, 0.0))
        ON CONFLICT (status) DO UPDATE SET builds = builds + 1, seconds = seconds + excluded.seconds;
    END;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
