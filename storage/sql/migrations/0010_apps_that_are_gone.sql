-- An app can be locked against its deletion, and deleted: its records stay, for the audit and for whoever makes it again.

ALTER TABLE apps ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN deleted_at TEXT;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
