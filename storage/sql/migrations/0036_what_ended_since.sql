-- Which promotions have ended since a moment, of all apps.
CREATE INDEX promotions_settled ON promotions (settled_at, number) WHERE settled_at IS NOT NULL;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
