-- Who stops a change of variables says nothing of the build.

ALTER TABLE standings ADD COLUMN spares_build INTEGER NOT NULL DEFAULT 0;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
