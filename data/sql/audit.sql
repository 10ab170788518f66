-- :name audit_events
-- What was done, newest first: of one person, or only what was refused, before a number.
SELECT number, created_at, who, role, address, what, path, asked, status FROM audit_event
WHERE ($who::TEXT IS NULL OR who = $who) AND ($before::BIGINT IS NULL OR number < $before) AND (NOT $refused::BOOLEAN OR status >= 400)
ORDER BY number DESC LIMIT $limit
