-- Builds on their way from a source to a release, and their logs; a complete one stands in `builds` as well.

-- `request` is what somebody asked to have built, `reason` a sentence, both sealed.
CREATE TABLE build_runs (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    app         TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    status      TEXT NOT NULL,
    description TEXT NOT NULL,
    git_sha     TEXT NOT NULL,
    images      TEXT NOT NULL,
    request     BLOB NOT NULL,
    created_at  TEXT NOT NULL,
    created_by  TEXT NOT NULL,
    started_at  TEXT,
    ended_at    TEXT,
    job         TEXT NOT NULL,
    release     TEXT NOT NULL,
    reason      BLOB NOT NULL,
    log_since   TEXT NOT NULL,
    log_seen    TEXT NOT NULL,
    cleared     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX builds_running ON build_runs (app) WHERE status = 'running';
CREATE INDEX builds_without_release ON build_runs (app, number) WHERE release = '';
CREATE INDEX builds_queued ON build_runs (app, number) WHERE status = 'created';
CREATE INDEX builds_open ON build_runs (number) WHERE cleared = 0;

-- `number` is that of the first of some lines, which are sealed together.
CREATE TABLE build_lines (
    build  TEXT NOT NULL REFERENCES build_runs (id) DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (build, number)
) STRICT, WITHOUT ROWID;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
