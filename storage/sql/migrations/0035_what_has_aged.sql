-- What is not kept any more is deleted in the order in which it ended: `until` and `number` are of the last one whose records are gone,
-- so whatever stands before it has none, and no row of its own says so. `rows` counts what was deleted, for graphs.

CREATE TABLE retention_marks (
    records TEXT PRIMARY KEY,
    until   TEXT NOT NULL,
    number  INTEGER NOT NULL,
    rows    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX promotions_by_end ON promotions (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX builds_by_end ON build_runs (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX outbox_told ON outbox (subject) WHERE kind = 'lines' AND state IN ('sent', 'dead');
-- What announces a build is kept: it is known by its message, which people click.
CREATE INDEX notices_told ON notices (created_at) WHERE kind <> 'build' AND (ts IS NOT NULL OR failed <> '');

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
