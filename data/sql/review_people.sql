-- :name standing_decisions_of
-- Samples on which a reviewer has a standing decision on the current revision: not undone, not cleared since. A fragment over $queue_of.
SELECT sample_id FROM (
    SELECT r.sample_id, arg_max(r.action, r.review_id) AS action FROM review r JOIN sample_state c ON c.sample_id = r.sample_id AND c.revision = r.revision
    WHERE r.reviewer = $queue_of AND r.review_id > c.drawn_review AND r.action IN ('approve', 'reject', 'reset')
      AND r.review_id NOT IN (SELECT undoes FROM review WHERE reviewer = $queue_of AND action = 'undo' AND undoes IS NOT NULL)
    GROUP BY r.sample_id) WHERE action <> 'reset'

-- :name sample_for_reviewer
-- Part of sample_filter: a reviewer's assigned samples, to do or done ($queue_done); and, for a blind workspace, only what tells $known_to nothing of
-- what others or the filters decided; what waits for an audit; and for $beside, who is on a blind assignment, nothing of it that is still to be decided.
($queue_of IS NULL OR (t.sample_id IN (SELECT sample_id FROM review_share WHERE reviewer = $queue_of)
                       AND (t.sample_id IN ({standing_decisions_of})) = coalesce($queue_done, false)))
AND ($known_to IS NULL OR t.status IN ('pending', 'undrawn', 'unfiltered', 'disputed')
     OR t.sample_id IN (SELECT sample_id FROM review WHERE reviewer = $known_to AND action IN ('approve', 'reject')))
AND ($audited IS NULL OR ({sample_waits_for_audit}))
AND ($beside IS NULL OR t.sample_id NOT IN (SELECT s.sample_id FROM review_share s JOIN review_assignment a USING (assignment_id) WHERE a.blind AND s.reviewer = $beside)
     OR t.sample_id IN (SELECT sample_id FROM review WHERE reviewer = $beside AND action IN ('approve', 'reject')))

-- :name reviewer_has_assignments
-- Whether a reviewer was given anything.
SELECT EXISTS (FROM review_share WHERE reviewer = $reviewer)

-- :name queue_counts
-- How many samples a reviewer was given, and how many of them are decided.
SELECT count(*) AS assigned, count(*) FILTER (s.sample_id IN ({standing_decisions_of})) AS done
FROM (SELECT DISTINCT sample_id FROM review_share WHERE reviewer = $queue_of) s

-- :name anything_blind
-- Whether any assignment, or the audit of a rule, hides what others decided.
SELECT (SELECT count(*) > 0 FROM review_assignment WHERE blind)
    OR coalesce((SELECT conditions IS NOT NULL FROM auto_rule ORDER BY rule_id DESC LIMIT 1), false)

-- :name reviewer_is_blind
-- Whether a reviewer is on a blind assignment.
SELECT count(*) > 0 FROM review_share s JOIN review_assignment a USING (assignment_id) WHERE a.blind AND s.reviewer = $reviewer

-- :name samples_blind
-- Of these samples, those whose verdicts and whose decisions by others a reviewer may not see: the workspace or their assignment is blind, or
-- (where $audits) the sample was drawn to audit a rule; and the reviewer
-- has neither decided it as it stands nor asked to see it.
SELECT t.sample_id FROM sample_state t
WHERE t.sample_id IN (SELECT unnest($sample_ids::BIGINT[]))
  AND ($everywhere OR ($audits AND ({sample_waits_for_audit})) OR t.sample_id IN (SELECT s.sample_id FROM review_share s JOIN review_assignment a USING (assignment_id) WHERE a.blind AND s.reviewer = $reviewer))
  AND NOT EXISTS (FROM review r WHERE r.sample_id = t.sample_id AND r.revision = t.revision AND r.reviewer = $reviewer AND r.action IN ('approve', 'reject')
                  AND r.review_id > t.drawn_review)
  AND NOT EXISTS (FROM reveal v WHERE v.sample_id = t.sample_id AND v.revision = t.revision AND v.reviewer = $reviewer)

-- :name reveal_add
-- A reviewer asks to see what others decided on a sample.
INSERT INTO reveal (sample_id, revision, reviewer) SELECT t.sample_id, t.revision, $reviewer FROM sample_state t WHERE t.sample_id = $sample_id
    AND NOT EXISTS (FROM reveal v WHERE v.sample_id = t.sample_id AND v.revision = t.revision AND v.reviewer = $reviewer)

-- :name samples_to_adjudicate
-- Those of some samples that are disputed, or were settled before on this revision.
SELECT t.sample_id FROM sample_state t WHERE t.sample_id IN (SELECT unnest($sample_ids::BIGINT[]))
  AND (t.status = 'disputed' OR EXISTS (FROM review r JOIN adjudication a USING (review_id) WHERE a.sample_id = t.sample_id AND r.revision = t.revision))

-- :name setting_latest
-- The latest value of a setting of the workspace.
SELECT value FROM setting WHERE name = $name ORDER BY entry DESC LIMIT 1

-- :name samples_to_assign
-- Samples that a filter matches and that nobody is to look at yet.
SELECT t.sample_id FROM sample_state t WHERE {sample_filter} AND t.sample_id NOT IN (SELECT sample_id FROM review_share) ORDER BY t.sample_id

-- :name assignments
-- The assignments, latest first, with who is on them.
SELECT a.assignment_id, a.title, a.copies, a.blind, a.author, a.created_at, e.reviewers,
       (SELECT count(DISTINCT s.sample_id) FROM review_share s WHERE s.assignment_id = a.assignment_id) AS samples
FROM review_assignment a
JOIN (FROM review_assignment_event QUALIFY row_number() OVER (PARTITION BY assignment_id ORDER BY number DESC) = 1) e USING (assignment_id)
ORDER BY a.assignment_id DESC

-- :name assignment_of_event
-- The assignment that an event has made or changed.
SELECT assignment_id, reviewers, dealt FROM review_assignment_event WHERE event_id = $event_id

-- :name shares
-- Who is to look at what in an assignment, and whether it is decided.
SELECT s.sample_id, s.reviewer, d.sample_id IS NOT NULL AS decided
FROM review_share s LEFT JOIN ({standing_decisions}) d ON d.sample_id = s.sample_id AND d.reviewer = s.reviewer
WHERE s.assignment_id = $assignment_id ORDER BY s.sample_id, s.reviewer

-- :name standing_decisions
-- Standing decisions of all reviewers on assigned samples. A fragment.
SELECT sample_id, reviewer FROM (
    SELECT r.sample_id, r.reviewer, arg_max(r.action, r.review_id) AS action FROM review r JOIN sample_state c ON c.sample_id = r.sample_id AND c.revision = r.revision
    WHERE r.sample_id IN (SELECT sample_id FROM review_share) AND r.review_id > c.drawn_review AND r.action IN ('approve', 'reject', 'reset')
      AND r.review_id NOT IN (SELECT undoes FROM review WHERE action = 'undo' AND undoes IS NOT NULL)
    GROUP BY r.sample_id, r.reviewer) WHERE action <> 'reset'

-- :name share_progress
-- How much of each assignment each reviewer has decided.
SELECT s.assignment_id, s.reviewer, count(*) AS assigned, count(d.sample_id) AS done
FROM review_share s LEFT JOIN ({standing_decisions}) d ON d.sample_id = s.sample_id AND d.reviewer = s.reviewer GROUP BY ALL ORDER BY ALL

-- :name shares_clear
-- Takes the undecided shares of an assignment away, before they are dealt anew.
DELETE FROM review_share s WHERE s.assignment_id = $assignment_id
    AND NOT EXISTS (FROM ({standing_decisions}) d WHERE d.sample_id = s.sample_id AND d.reviewer = s.reviewer)

-- :name review_pace
-- How fast and how each reviewer decides one by one. Active time is the gaps of at most $idle seconds between an action and the one before it.
WITH acts AS (
    SELECT reviewer, action, created_at, review_id, batch_id,
           epoch(created_at) - epoch(lag(created_at) OVER (PARTITION BY reviewer ORDER BY review_id)) AS gap
    FROM review WHERE ($since IS NULL OR created_at >= $since::TIMESTAMPTZ)),
undone AS (SELECT undoes FROM review WHERE action = 'undo' AND undoes IS NOT NULL)
SELECT reviewer, count(*) FILTER (single) AS decisions, count(*) FILTER (decision AND NOT single) AS bulk, count(*) FILTER (single AND action = 'approve') AS approvals,
       coalesce(sum(gap) FILTER (gap <= $idle), 0)::DOUBLE AS active_seconds, median(gap) FILTER (single AND gap <= $idle)::DOUBLE AS median_seconds,
       count(*) FILTER (single AND gap <= $idle) AS timed, max(created_at) AS last_at
FROM (SELECT *, decision AND batch_id IS NULL AS single
      FROM (SELECT *, action IN ('approve', 'reject') AND review_id NOT IN (FROM undone) AS decision FROM acts))
GROUP BY reviewer ORDER BY decisions DESC, reviewer

-- :name independent_decisions
-- The first decision of each reviewer on each revision, where it was made alone: not undone, not in bulk, not an adjudication, not after a look at the
-- others'. A fragment; only revisions that two people have decided.
SELECT sample_id, revision, reviewer, action = 'approve' AS yes FROM (
    SELECT r.sample_id, r.revision, r.reviewer, arg_min(r.action, r.review_id) AS action, min(r.review_id) AS review_id
    FROM review r WHERE r.action IN ('approve', 'reject') AND r.batch_id IS NULL AND r.review_id NOT IN (SELECT review_id FROM adjudication)
      AND r.review_id NOT IN (SELECT undoes FROM review WHERE action = 'undo' AND undoes IS NOT NULL) GROUP BY ALL) d
WHERE NOT EXISTS (FROM reveal v WHERE v.sample_id = d.sample_id AND v.revision = d.revision AND v.reviewer = d.reviewer AND v.review_mark < d.review_id)
QUALIFY count(*) OVER (PARTITION BY sample_id, revision) > 1

-- :name agreement_patterns
-- How often so many approved and so many rejected the same thing.
SELECT yes, no, count(*) AS units FROM (
    SELECT count(*) FILTER (yes) AS yes, count(*) FILTER (NOT yes) AS no FROM ({independent_decisions}) GROUP BY sample_id, revision) GROUP BY ALL ORDER BY ALL

-- :name agreement_pairs
-- For each two reviewers: what both decided, and how.
WITH d AS MATERIALIZED ({independent_decisions})
SELECT a.reviewer AS one, b.reviewer AS other, count(*) FILTER (a.yes AND b.yes) AS both_approve, count(*) FILTER (a.yes AND NOT b.yes) AS only_one,
       count(*) FILTER (NOT a.yes AND b.yes) AS only_other, count(*) FILTER (NOT a.yes AND NOT b.yes) AS both_reject
FROM d a JOIN d b ON a.sample_id = b.sample_id AND a.revision = b.revision AND a.reviewer < b.reviewer GROUP BY ALL ORDER BY ALL
