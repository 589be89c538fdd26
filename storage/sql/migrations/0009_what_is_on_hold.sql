-- Every list of releases names those that are on hold.

CREATE INDEX standings_held_of_app ON standings (app, sequence) WHERE held IS NOT NULL;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
