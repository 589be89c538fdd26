-- What somebody is told next is found among thousands without a look at each: an index of SQLite ends in the row's number.
CREATE INDEX outgoing_events_next ON outgoing_events (subscription);

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
