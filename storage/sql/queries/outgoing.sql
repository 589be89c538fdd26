-- subscriptions --
-- Who is told of events, with how many wait for each and since when.
SELECT subscriptions.*,
    (SELECT count(*) FROM outgoing_events WHERE outgoing_events.subscription = subscriptions.id) AS waiting,
    (SELECT min(created_at) FROM outgoing_events WHERE outgoing_events.subscription = subscriptions.id) AS oldest
FROM subscriptions ORDER BY created_at, id;

-- subscribers --
-- Who wants to know of what, for whoever writes an event.
SELECT id, kind, apps, types FROM subscriptions ORDER BY id;

-- subscription --
-- One of them, to be told.
SELECT *, 0 AS waiting, NULL AS oldest FROM subscriptions WHERE id = :id;

-- subscriptions_owed --
-- Whom something may be told now; no delay is longer than until `far`, so whatever is beyond was written by a clock that was wrong.
SELECT id, failing_since FROM subscriptions
WHERE EXISTS (
    SELECT 1 FROM outgoing_events
    WHERE outgoing_events.subscription = subscriptions.id
        AND (not_before IS NULL OR not_before <= :now OR not_before > :far)
)
ORDER BY created_at, id;

-- add_subscription --
-- Somebody is to be told.
INSERT INTO subscriptions (id, kind, host, sealed, apps, types, created_at, created_by)
VALUES (:id, 'webhook', :host, :sealed, :apps, :types, :created_at, :created_by)
ON CONFLICT (id) DO NOTHING;

-- remove_subscription --
-- Somebody is told no longer.
DELETE FROM subscriptions WHERE id = :id AND kind = 'webhook';

-- remove_events_of --
-- What somebody has not been told.
DELETE FROM outgoing_events WHERE subscription = :id;

-- add_outgoing_event --
-- Somebody is to be told of a row of the audit, once.
INSERT INTO outgoing_events (subscription, audit, type, app, subject, created_at)
VALUES (:subscription, :audit, :type, :app, :subject, :created_at)
ON CONFLICT (subscription, audit, type) DO NOTHING;

-- outgoing_event_due --
-- What somebody is told next: the oldest event that may go now, of each subject none before the one before it.
SELECT outgoing_events.*, audit.at, audit.actor, audit.action, audit.detail, audit.hash
FROM outgoing_events JOIN audit ON audit.seq = outgoing_events.audit
WHERE outgoing_events.subscription = :subscription
    AND (
        outgoing_events.not_before IS NULL OR outgoing_events.not_before <= :now OR outgoing_events.not_before > :far
    )
    AND NOT EXISTS (
        SELECT 1 FROM outgoing_events AS earlier
        WHERE earlier.subscription = outgoing_events.subscription AND earlier.subject = outgoing_events.subject
            AND earlier.id < outgoing_events.id
    )
ORDER BY outgoing_events.id LIMIT 1;

-- outgoing_events_wait_until --
-- When the next delay of an event ends.
SELECT min(not_before) AS moment FROM outgoing_events WHERE not_before > :now;

-- remove_outgoing_event --
-- An event was delivered, or given up.
DELETE FROM outgoing_events WHERE id = :id;

-- give_up_outgoing_events --
-- Nobody is told any more of what somebody has not taken.
DELETE FROM outgoing_events WHERE subscription = :subscription AND (:before IS NULL OR created_at <= :before);

-- note_given_up --
-- So many events were given up at once.
UPDATE subscriptions SET dropped = dropped + :events WHERE id = :id;

-- release_outgoing_events --
-- What was put off for somebody may go now.
UPDATE outgoing_events SET not_before = NULL WHERE subscription = :subscription AND not_before IS NOT NULL;

-- delay_outgoing_event --
-- An event is tried again later.
UPDATE outgoing_events SET attempts = attempts + 1, not_before = :not_before WHERE id = :id;

-- hold_outgoing_event --
-- An event has to wait for what it tells of; that is no failure of whoever is told.
UPDATE outgoing_events SET not_before = :not_before WHERE id = :id;

-- event_endings --
-- How events ended over all times, of every webhook that ever was.
SELECT kind, outcome, reason, events FROM event_endings ORDER BY kind, outcome, reason;

-- count_event_ending --
-- Events have ended in one way more.
INSERT INTO event_endings (kind, outcome, reason, events) VALUES (:kind, :outcome, :reason, :events)
ON CONFLICT (kind, outcome, reason) DO UPDATE SET events = events + excluded.events;

-- note_delivered --
-- Somebody has taken an event.
UPDATE subscriptions
SET delivered = delivered + 1, answer = :answer, answered_at = :now, failing_since = NULL
WHERE id = :id;

-- note_recovered --
-- Somebody who had failed has taken a trial.
UPDATE subscriptions SET answer = :answer, answered_at = :now, failing_since = NULL WHERE id = :id;

-- note_failure --
-- Somebody has not taken an event.
UPDATE subscriptions
SET dropped = dropped + :dropped, answer = :answer, answered_at = :now, failing_since = coalesce(failing_since, :now)
WHERE id = :id;
