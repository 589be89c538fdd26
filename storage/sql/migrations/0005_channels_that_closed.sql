-- A card whose channel closed in the middle goes on in the requester's direct messages; where it was, and why it left.

ALTER TABLE cards ADD COLUMN closed_channel TEXT NOT NULL DEFAULT '';
ALTER TABLE cards ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
