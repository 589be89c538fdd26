-- Until when a token opens anything, when it was used last, and name patterns of the apps it is for, with spaces between them.

ALTER TABLE tokens ADD COLUMN expires_at TEXT;
ALTER TABLE tokens ADD COLUMN used_at TEXT;
ALTER TABLE tokens ADD COLUMN apps TEXT NOT NULL DEFAULT '*';

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
