-- :name sample_filter
-- The condition that Review's facets share; every parameter may be NULL. A fragment over sample_state t.
{sample_in_status} AND {sample_in_error_type} AND {sample_in_dataset} AND {sample_in_route} AND {sample_in_round} AND {sample_in_failing} AND {sample_in_rest}
AND {sample_for_reviewer} AND {sample_of_loop}

-- :name sample_of_loop
-- Not one that was made without a failure, for an experiment: those are of round 0. A fragment over sample_state t.
t.round > 0

-- :name sample_in_status
-- Part of sample_filter.
($statuses IS NULL OR list_contains($statuses::TEXT[], t.status::TEXT))

-- :name sample_in_error_type
-- Part of sample_filter.
($error_types IS NULL OR list_contains($error_types::TEXT[], t.error_type))

-- :name sample_in_dataset
-- Part of sample_filter.
($datasets IS NULL OR list_contains($datasets::TEXT[], t.dataset))

-- :name sample_in_route
-- Part of sample_filter.
($routes IS NULL OR list_contains($routes::TEXT[], t.route::TEXT))

-- :name sample_in_round
-- Part of sample_filter.
($rounds IS NULL OR list_contains($rounds::INTEGER[], t.round))

-- :name sample_in_failing
-- Part of sample_filter: fails the filter of a bit, or any of some filters by name.
($failed_bit IS NULL OR (t.failed >> $failed_bit::UTINYINT) & 1 = 1)
AND ($failing IS NULL OR t.failed & (SELECT coalesce(bit_or(1::UBIGINT << bit), 0::UBIGINT) FROM current_filter
                                     WHERE enabled AND list_contains($failing::TEXT[], filter)) <> 0)

-- :name sample_in_rest
-- Part of sample_filter: what is no facet. $found is a bitmap of ids (data/search.py); its last bit is 0.
($failure_id IS NULL OR t.failure_id = $failure_id)
AND ($sample_ids IS NULL OR t.sample_id IN (SELECT unnest($sample_ids::BIGINT[])))
AND ($found IS NULL OR get_bit($found::BLOB::BIT, least(t.sample_id, bit_length($found::BLOB::BIT) - 1)::INTEGER) = 1)

-- :name samples_matching
-- Ids of the samples that a filter matches, with what a decision needs to know of them.
SELECT t.sample_id, t.revision, t.status::TEXT AS status, t.failed FROM sample_state t WHERE {sample_filter} ORDER BY t.sample_id

-- :name touch_matching
-- Touches the samples that a filter matches and that a bulk decision may decide.
INSERT INTO touched SELECT t.sample_id FROM sample_state t WHERE {sample_filter} AND t.status <> 'undrawn' AND NOT {sample_fails_bulk_limits}

-- :name samples_matching_by_status
-- What a bulk decision would change: counts a status.
SELECT t.status::TEXT AS status, count(*) AS count, count(*) FILTER (t.status <> 'undrawn' AND {sample_fails_bulk_limits}) AS leaking
FROM sample_state t WHERE {sample_filter} GROUP BY 1 ORDER BY 1

-- :name samples_matching_few
-- Twelve random members of what a bulk decision would change.
SELECT t.sample_id, t.question, t.answer, t.image, t.status::TEXT AS status FROM sample_state t WHERE {sample_filter} ORDER BY hash(t.sample_id + $seed) LIMIT 12

-- :name sample_revisions
-- The current revision of each of these samples.
SELECT sample_id, revision, status::TEXT AS status, question, choices, answer, image FROM sample_state WHERE sample_id IN (SELECT unnest($sample_ids::BIGINT[]))

-- :name sample_state_of
-- A sample as a decision needs to know it, and whether the log holds the browser's event already.
SELECT sample_id, revision, status::TEXT AS status, question, choices, answer, image,
       EXISTS (FROM review r WHERE r.sample_id = $sample_id AND r.event_id = $event_id) AS known
FROM sample_state WHERE sample_id = $sample_id

-- :name samples_to_decide
-- Samples as decisions need to know them; `decided`: a decision of somebody stands.
SELECT sample_id, revision, status::TEXT AS status, question, choices, answer, image, decision IS NOT NULL AS decided
FROM sample_state WHERE sample_id IN (SELECT unnest($sample_ids::BIGINT[]))

-- :name events_known
-- Those of the browser's events on these samples that the log holds.
SELECT event_id FROM review WHERE sample_id IN (SELECT unnest($sample_ids::BIGINT[])) AND event_id IN (SELECT unnest($event_ids::TEXT[]))

-- :name event_known
-- Whether the log holds a browser's event.
SELECT EXISTS (FROM review WHERE event_id = $event_id) AS known

-- :name next_batch
-- A new number for a bulk decision.
SELECT nextval('batch_ids') AS batch_id

-- :name review_add
-- One event on one sample. A plain insert, here and below: the event is known to be new, and ON CONFLICT costs 40 ms on two million rows.
INSERT INTO review (sample_id, revision, action, reason, note, reviewer, event_id)
VALUES ($sample_id, $revision, $action, $reason, $note, $reviewer, $event_id) RETURNING review_id

-- :name reviews_decided
-- An event each on some samples. A key that is there already fails the transaction.
INSERT INTO review (sample_id, revision, action, reason, note, reviewer, event_id)
SELECT d.sample_id, d.revision, d.action, d.reason, d.note, $reviewer, d.event_id
FROM (SELECT unnest($decisions::STRUCT(sample_id BIGINT, revision INTEGER, action review_action, reason TEXT, note TEXT, event_id TEXT)[]) AS d)
RETURNING review_id, sample_id

-- :name reviews_add
-- One decision on the touched samples, at their current revisions.
INSERT INTO review (sample_id, revision, action, reason, note, reviewer, batch_id, event_id)
SELECT t.sample_id, t.revision, $action::review_action, $reason, $note, $reviewer, $batch_id, $event_id
FROM sample_state t WHERE t.sample_id IN (FROM touched) ORDER BY t.sample_id

-- :name reviews_reverse
-- The reversal of what is to be undone.
INSERT INTO review (sample_id, revision, action, reviewer, undoes, event_id)
SELECT r.sample_id, r.revision, 'undo', $reviewer, r.review_id, $event_id FROM ({reviews_to_undo}) r ORDER BY r.review_id

-- :name sample_mark
-- What tells a sample's text and image apart from another's (data/review_journal.py: mark_of). A fragment over sample_state t.
left(md5(t.question || chr(31) || coalesce(array_to_string(t.choices, chr(30)), '') || chr(31) || t.answer || chr(31) || coalesce(t.image, '')), 10)

-- :name touched_marks
-- The touched samples as the journal of decisions names them.
SELECT t.sample_id, t.revision, {sample_mark} AS mark FROM sample_state t WHERE t.sample_id IN (FROM touched) ORDER BY t.sample_id

-- :name samples_with_marks
-- Samples by text and image, as far as there are any: for decisions on samples that were made again under other numbers.
SELECT * FROM (SELECT t.sample_id, t.revision, {sample_mark} AS mark FROM sample_state t) WHERE list_contains($marks::TEXT[], mark) ORDER BY sample_id

-- :name samples_marked
-- These samples with their marks.
SELECT t.sample_id, t.revision, {sample_mark} AS mark FROM sample_state t WHERE t.sample_id IN (SELECT unnest($sample_ids::BIGINT[]))

-- :name reviews_known
-- Which events the log holds, by sample.
SELECT event_id, sample_id, review_id, revision FROM review WHERE list_contains($event_ids::TEXT[], event_id)

-- :name reviews_restore
-- Puts decisions back that the journal holds and the log does not; returns their numbers.
INSERT INTO review (sample_id, revision, action, reason, note, reviewer, batch_id, undoes, event_id, created_at)
SELECT s.sample_id, s.revision, $action::review_action, $reason, $note, $reviewer, $batch_id, s.undoes, $event_id, $created_at::TIMESTAMPTZ
FROM (SELECT unnest($samples::STRUCT(sample_id BIGINT, revision INTEGER, undoes BIGINT)[]) AS s) RETURNING review_id, sample_id

-- :name event_of_batch
-- The browser's event that a bulk decision came from.
SELECT any_value(event_id) AS event_id FROM review WHERE batch_id = $batch_id AND action <> 'undo'

-- :name batch_of_event
-- The bulk decision that a browser event has made, for an event that is sent again.
SELECT batch_id, count(*) AS count FROM review WHERE event_id = $event_id GROUP BY batch_id

-- :name review_history
-- The reviewer's latest actions, a bulk decision as one line, with whether it was undone and what its first sample is.
WITH mine AS (
    SELECT coalesce(-batch_id, review_id) AS line, review_id, batch_id, event_id, action, reason, note, sample_id, created_at
    FROM review WHERE reviewer = $reviewer AND action <> 'undo'),
latest AS (SELECT line FROM mine GROUP BY line ORDER BY max(review_id) DESC LIMIT $limit),
shown AS MATERIALIZED (FROM mine WHERE line IN (FROM latest)),
undone AS (SELECT undoes FROM review WHERE undoes IN (SELECT review_id FROM shown)),
lines AS (
    SELECT max(review_id) AS review_id, any_value(batch_id) AS batch_id, any_value(event_id) AS event_id, any_value(action)::TEXT AS action,
           any_value(reason) AS reason, any_value(note) AS note, count(*) AS samples, min(sample_id) AS sample_id, max(created_at) AS created_at,
           bool_and(review_id IN (FROM undone)) AS undone
    FROM shown GROUP BY line)
SELECT h.*, t.question, t.answer, t.image, t.status::TEXT AS status
FROM lines h JOIN sample_state t ON t.sample_id = h.sample_id ORDER BY h.review_id DESC

-- :name reviews_to_undo
-- The rows of a reviewer's bulk decision, or of one browser event, that are not undone.
SELECT r.review_id, r.sample_id, r.revision, r.action FROM review r
WHERE ($batch_id IS NULL OR r.batch_id = $batch_id) AND ($undone_event IS NULL OR r.event_id = $undone_event)
  AND r.reviewer = $reviewer AND r.action <> 'undo' AND NOT EXISTS (FROM review u WHERE u.undoes = r.review_id)

-- :name touch_to_undo
-- Touches the samples whose events are to be undone.
INSERT INTO touched SELECT DISTINCT sample_id FROM ({reviews_to_undo})

-- :name edits_to_undo
-- The edits among what is to be undone.
SELECT sample_id, revision FROM ({reviews_to_undo}) WHERE action = 'edit' ORDER BY review_id

-- :name touched_few
-- Some of the touched samples.
SELECT DISTINCT sample_id FROM touched ORDER BY sample_id LIMIT 100

-- :name text_of_revision
-- The text of a sample at a revision.
SELECT question, choices, answer FROM revision WHERE sample_id = $sample_id AND revision = $revision
UNION ALL SELECT question, choices, answer FROM sample WHERE sample_id = $sample_id AND $revision = 0
