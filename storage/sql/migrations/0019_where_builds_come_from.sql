-- Where the commit of a build lies: an https address without credentials where it is one; "" where nobody said.

ALTER TABLE builds ADD COLUMN repository TEXT NOT NULL DEFAULT '';

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
