-- What the count of a manifest is compared with was read out of every bundle, and what a workload had out of every intent.

CREATE TABLE workload_counts (
    app      TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    count    INTEGER NOT NULL,
    replicas INTEGER,
    PRIMARY KEY (app, kind, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE steps DROP COLUMN replicas;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
