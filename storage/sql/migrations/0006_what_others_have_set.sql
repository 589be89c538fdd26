-- A promotion may be asked to take away what others have set by hand.

ALTER TABLE promotions ADD COLUMN overwrite INTEGER NOT NULL DEFAULT 0;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
