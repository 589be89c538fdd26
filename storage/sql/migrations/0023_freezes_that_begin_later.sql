-- Of a freeze that begins later: its channels are still to be told that it has begun.

ALTER TABLE freezes ADD COLUMN to_tell INTEGER NOT NULL DEFAULT 0;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
