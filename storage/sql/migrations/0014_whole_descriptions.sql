-- What a build was described with may be a whole commit message; `description` stays its first line.

ALTER TABLE builds ADD COLUMN message BLOB;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
