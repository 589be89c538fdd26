-- What graphs ask: how promotions ended and why, and how long rollouts took; counted as they end, so that a restart changes no
-- number and no scrape reads history.

-- A word of which there are few (core/lifecycle/measuring.py), so it is plain.
ALTER TABLE promotions ADD COLUMN cause_kind TEXT NOT NULL DEFAULT '';

CREATE TABLE promotion_endings (
    phase      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    promotions INTEGER NOT NULL,
    PRIMARY KEY (phase, reason)
) STRICT, WITHOUT ROWID;
-- Why those of before ended nobody has noted in a word.
INSERT INTO promotion_endings (phase, reason, promotions)
SELECT phase, 'unknown', promotions FROM promotion_phases
WHERE phase IN ('Declined', 'Expired', 'Failure', 'Refused', 'Reverted', 'Running', 'Stopped', 'Superseded') AND promotions > 0;

CREATE TRIGGER promotions_end AFTER UPDATE OF phase ON promotions
    WHEN NEW.phase <> OLD.phase
        AND NEW.phase IN ('Declined', 'Expired', 'Failure', 'Refused', 'Reverted', 'Running', 'Stopped', 'Superseded')
    BEGIN
        INSERT INTO promotion_endings (phase, reason, promotions) VALUES (NEW.phase, NEW.cause_kind, 1)
        ON CONFLICT (phase, reason) DO UPDATE SET promotions = promotions + 1;
    END;

-- Milestone → how many rollouts reached it within so many seconds (the upper bound of a bucket, `inf` of the last), and in how many in all.
CREATE TABLE rollout_times (
    milestone TEXT NOT NULL,
    bound     REAL NOT NULL,
    rollouts  INTEGER NOT NULL,
    seconds   REAL NOT NULL,
    PRIMARY KEY (milestone, bound)
) STRICT, WITHOUT ROWID;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
