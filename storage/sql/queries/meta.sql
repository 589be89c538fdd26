-- canaries --
-- One sealed word for each key that ever encrypted here.
SELECT name, value FROM meta WHERE name GLOB 'canary:*';

-- meta --
-- What the database knows of itself.
SELECT name, value FROM meta;

-- add_meta --
-- Keep a fact of the database, unless it has it already.
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;

-- kept_policy --
-- The last good policy.
SELECT value FROM meta WHERE name = :name;

-- keep_policy --
-- Keep a good policy in the place of the one before.
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- reseal_meta --
-- Write a sealed fact anew, with another key.
UPDATE meta SET value = :value WHERE name = :name;

-- sealing_key --
-- Which key the bot that started last seals with, by its fingerprint.
SELECT value FROM meta WHERE name = 'sealing_key';

-- note_sealing_key --
-- Note it; where it is the same nothing is written, so that a start needs no room on the disk.
INSERT INTO meta (name, value) VALUES ('sealing_key', :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value;

-- retire_key --
-- Nothing is sealed with this key any more.
DELETE FROM meta WHERE name = :name AND name GLOB 'canary:*';

-- refused_blocks --
-- The kinds of blocks that a workspace has refused after a moment.
SELECT name FROM meta WHERE name >= :prefix AND name < :prefix || 'zzzz' AND value > :moment;

-- keep_refused_block --
-- Remember when a workspace has refused a kind of block last.
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- homes --
-- Who has opened their Home tab after a moment, the last one first.
SELECT name FROM meta WHERE name >= :prefix AND name < :prefix || 'zzzz' AND value > :moment ORDER BY value DESC LIMIT :limit;

-- keep_home --
-- Remember when somebody has opened their Home tab last.
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;
