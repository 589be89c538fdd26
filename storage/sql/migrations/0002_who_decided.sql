-- Who declined, cancelled or took over had one column, and which of these it was, was guessed from what else was there.

ALTER TABLE promotions ADD COLUMN declined_by TEXT;
ALTER TABLE promotions ADD COLUMN taken_over_by TEXT;
ALTER TABLE promotions ADD COLUMN cancelled_by TEXT;

UPDATE promotions SET declined_by = acted_by WHERE phase = 'Declined';
UPDATE promotions SET taken_over_by = acted_by WHERE phase <> 'Declined' AND superseded_by IS NOT NULL;
UPDATE promotions SET cancelled_by = acted_by WHERE phase <> 'Declined' AND superseded_by IS NULL;

ALTER TABLE promotions DROP COLUMN acted_by;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
