-- How events for others ended, by how they were told: what a webhook has taken stays counted when it is removed.
-- `reason` says why one was given up; of those from before nobody has written it down.
CREATE TABLE event_endings (
    kind    TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason  TEXT NOT NULL,
    events  INTEGER NOT NULL,
    PRIMARY KEY (kind, outcome, reason)
) STRICT;
INSERT INTO event_endings (kind, outcome, reason, events)
SELECT kind, 'delivered', '', sum(delivered) FROM subscriptions GROUP BY kind HAVING sum(delivered) > 0
UNION ALL SELECT kind, 'dropped', '', sum(dropped) FROM subscriptions GROUP BY kind HAVING sum(dropped) > 0;

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
