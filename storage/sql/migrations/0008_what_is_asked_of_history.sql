-- What is asked of all releases, bundles or promotions of an app was read, unsealed or counted one by one: the more there were, the
-- longer everybody waited. From here on it stands in plain columns and indexes that lead to the few rows that matter.

-- A standing knows its release's place and build.
CREATE TABLE standings_with_place (
    release     TEXT NOT NULL PRIMARY KEY REFERENCES releases (id) DEFERRABLE INITIALLY DEFERRED,
    app         TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    sequence    INTEGER NOT NULL,
    build       TEXT,
    verified_at TEXT,
    held        BLOB,
    withdrawn   INTEGER NOT NULL,
    spares_build INTEGER NOT NULL
) STRICT;
INSERT INTO standings_with_place (release, app, sequence, build, verified_at, held, withdrawn, spares_build)
SELECT standings.release, releases.app, releases.sequence, releases.build,
    standings.verified_at, standings.held, standings.withdrawn, standings.spares_build
FROM standings JOIN releases ON releases.id = standings.release;
DROP TABLE standings;
ALTER TABLE standings_with_place RENAME TO standings;
CREATE INDEX standings_held ON standings (build, sequence) WHERE held IS NOT NULL AND spares_build = 0;
CREATE INDEX standings_verified ON standings (build) WHERE verified_at IS NOT NULL AND held IS NULL;
CREATE INDEX standings_ways_back ON standings (app, sequence)
    WHERE verified_at IS NOT NULL AND held IS NULL AND withdrawn = 0;

-- A build and its release name each other. While one waits for the other, SQLite looks with each insert for all rows that may wait for
-- its id, in every table that can: without an index from one end to the other.
CREATE INDEX releases_of_build ON releases (build);
CREATE INDEX builds_of_release ON builds (release);
CREATE INDEX promotions_of_release ON promotions (release);
CREATE INDEX releases_copied ON releases (copy_of) WHERE copy_of IS NOT NULL;

-- Releases with what guards and lists need, nothing of it sealed.
CREATE VIEW release_entries AS
SELECT releases.id, releases.app, releases.sequence, releases.build, releases.description, releases.created_at,
    releases.copy_of,
    standings.verified_at IS NOT NULL AS verified,
    standings.held IS NOT NULL AS held,
    coalesce(standings.withdrawn, 0) AS withdrawn,
    EXISTS (SELECT 1 FROM builds WHERE builds.release = releases.id) AS made_by_build,
    EXISTS (SELECT 1 FROM standings AS other WHERE other.build = releases.build AND other.held IS NOT NULL AND other.spares_build = 0)
        AS build_held,
    EXISTS (
        SELECT 1 FROM standings AS other
        WHERE other.build = releases.build AND other.verified_at IS NOT NULL AND other.held IS NULL
    ) AS build_verified
FROM releases LEFT JOIN standings ON standings.release = releases.id;

-- Every object that a bundle of the app has ever had, once. `storage/reseal.py` fills it from the bundles of before.
CREATE TABLE bundle_refs (
    app  TEXT NOT NULL REFERENCES apps (name) DEFERRABLE INITIALLY DEFERRED,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (app, kind, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX promotions_awaiting ON promotions (app, number) WHERE phase = 'AwaitingApproval';
CREATE INDEX promotions_touched ON promotions (app, settled_at, number)
    WHERE touched_at IS NOT NULL AND phase IN ('Failure', 'Reverted', 'Running', 'Superseded');
CREATE INDEX promotions_touching ON promotions (app, number) WHERE touched_at IS NOT NULL;
CREATE INDEX promotions_superseded ON promotions (superseded_by) WHERE superseded_by IS NOT NULL;
CREATE INDEX prune_jobs_of_app ON prune_jobs (app);

-- How many promotions are in each phase, kept by whatever writes one.
CREATE TABLE promotion_phases (
    phase      TEXT NOT NULL PRIMARY KEY,
    promotions INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO promotion_phases (phase, promotions) SELECT phase, count(*) FROM promotions GROUP BY phase;
CREATE TRIGGER promotions_begin_in_a_phase AFTER INSERT ON promotions
    BEGIN
        INSERT INTO promotion_phases (phase, promotions) VALUES (NEW.phase, 1)
        ON CONFLICT (phase) DO UPDATE SET promotions = promotions + 1;
    END;
CREATE TRIGGER promotions_change_their_phase AFTER UPDATE OF phase ON promotions WHEN NEW.phase <> OLD.phase
    BEGIN
        UPDATE promotion_phases SET promotions = promotions - 1 WHERE phase = OLD.phase;
        INSERT INTO promotion_phases (phase, promotions) VALUES (NEW.phase, 1)
        ON CONFLICT (phase) DO UPDATE SET promotions = promotions + 1;
    END;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
