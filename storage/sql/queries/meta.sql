-- canaries --
-- One sealed word for each key that ever encrypted here.
SELECT name, value FROM meta WHERE name GLOB 'canary:*';

-- meta --
-- What the database knows of itself.
SELECT name, value FROM meta;

-- add_meta --
-- Keep a fact of the database, unless it has it already.
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;
