-- Which promotion of an app failed last, whatever has succeeded since.
CREATE INDEX promotions_failed ON promotions (app, number) WHERE phase IN ('Failure', 'Reverted', 'Stopped');

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
