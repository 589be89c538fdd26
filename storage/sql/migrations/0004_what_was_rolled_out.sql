-- Any pod template but the one that an apply has answered is somebody else's; an older apply's answer is not known.

ALTER TABLE steps ADD COLUMN template TEXT NOT NULL DEFAULT '';
-- What ended it does not lie in its release: that one is not put on hold.
ALTER TABLE promotions ADD COLUMN blameless INTEGER NOT NULL DEFAULT 0;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
