-- Pushes that have started a build, by HMACs of their deliveries and of what was pushed: told again, they start none.
CREATE TABLE pushes (
    mark  TEXT PRIMARY KEY,
    build TEXT NOT NULL REFERENCES build_runs (id) DEFERRABLE INITIALLY DEFERRED,
    at    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pushes_by_age ON pushes (at);

-- Builds that are complete, and whose release is still to be asked for: written as the build completes, gone as its promotion is written.
CREATE TABLE promotion_jobs (
    build TEXT PRIMARY KEY REFERENCES build_runs (id) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
