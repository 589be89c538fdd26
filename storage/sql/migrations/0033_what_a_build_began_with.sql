-- The release whose variables a build is built with, as it was when it began: what it is told after a restart must be what its pod has.
-- Of one that runs while this comes it is not known; it goes on with those of now.
ALTER TABLE build_runs ADD COLUMN base TEXT;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
