-- resealed --
-- How many upgrades of what is sealed the database has seen.
SELECT value FROM meta WHERE name = 'resealed';

-- save_resealed --
-- Keep how many upgrades of what is sealed there were.
INSERT INTO meta (name, value) VALUES ('resealed', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- sealed_words --
-- What every promotion seals of words.
SELECT number, phase, words FROM promotions ORDER BY number;

-- reseal_words --
-- Write the words of a promotion in another form.
UPDATE promotions SET words = :words WHERE number = :number;

-- sealed_holds --
-- Why releases are on hold.
SELECT release, held FROM standings WHERE held IS NOT NULL;

-- reseal_hold --
-- Write in another form why a release is on hold.
UPDATE standings SET held = :held WHERE release = :release;
