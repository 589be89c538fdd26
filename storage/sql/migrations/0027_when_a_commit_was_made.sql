-- When the commit of a build was made, where that is known.

ALTER TABLE builds ADD COLUMN committed_at TEXT;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
