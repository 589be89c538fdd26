-- A promotion may wait for a time, for its app or for the end of a freeze before it starts, and stand for a while before it goes back.

ALTER TABLE promotions ADD COLUMN waits_for TEXT;
ALTER TABLE promotions ADD COLUMN countdown TEXT;
ALTER TABLE promotions ADD COLUMN stopped_by TEXT;

-- Their phases are three more: the indexes by phase are made anew.
DROP INDEX promotions_in_flight;
CREATE UNIQUE INDEX promotions_in_flight ON promotions (app)
    WHERE phase IN ('Cancelled', 'Countdown', 'Deadline', 'Error', 'Pending', 'Rollback', 'Updating');
DROP INDEX promotions_unsettled;
CREATE INDEX promotions_unsettled ON promotions (number)
    WHERE phase IN ('AwaitingApproval', 'Cancelled', 'Countdown', 'Deadline', 'Error', 'Pending', 'Rollback', 'Scheduled', 'Updating');
DROP INDEX promotions_awaiting;
CREATE INDEX promotions_awaiting ON promotions (app, number) WHERE phase IN ('AwaitingApproval', 'Scheduled');
DROP INDEX promotions_touched;
CREATE INDEX promotions_touched ON promotions (app, settled_at, number)
    WHERE touched_at IS NOT NULL AND phase IN ('Failure', 'Reverted', 'Running', 'Stopped', 'Superseded');

UPDATE meta SET value = '0.2.0' WHERE name = 'needs';
