-- Promotions of the active release that replace the pods of some services: JSON, their names; an empty list for any other.

ALTER TABLE promotions ADD COLUMN restarts TEXT NOT NULL DEFAULT '[]';

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
