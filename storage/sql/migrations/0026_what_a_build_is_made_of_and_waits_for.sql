-- A source makes one build, and goes with it: "" is none, or of a build from before this was written down.
-- `waits` is what keeps its pod from starting, sealed, while something does.

ALTER TABLE build_runs ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE build_runs ADD COLUMN waits BLOB;
CREATE UNIQUE INDEX builds_of_sources ON build_runs (source) WHERE source <> '';

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
