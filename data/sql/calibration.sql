-- :name calibration_marks
-- What the arrays of calibration follow from: where one of these is another, something was added.
SELECT (SELECT max(verdict_id) FROM verdict) AS verdicts, (SELECT max(review_id) FROM review) AS reviews, (SELECT max(setting_id) FROM filter_setting) AS settings,
       (SELECT count(*) FROM revision) AS revisions, (SELECT count(*) FROM drawing) AS drawings, (SELECT count(*) FROM sample_state) AS samples,
       (SELECT max(rule_id) FROM auto_rule) AS rules

-- :name calibration_error_types
-- The error types that samples have.
SELECT DISTINCT error_type FROM sample_state ORDER BY error_type

-- :name calibration_samples
-- Every sample, with what of its state matters. `error_type` is a place in $error_types.
SELECT sample_id, revision, drawn_verdict AS picture, list_position($error_types::TEXT[], error_type)::SMALLINT AS error_type,
       image IS NOT NULL AS drawn, undecided IN ('pending', 'auto_approved') AS passing, status IN ('pending', 'auto_approved') AS open,
       undecided = 'failed' AS rejected,
       status = 'auto_approved' AS auto, status = 'failed' AS failing, decision IS NOT NULL AS decided
FROM sample_state ORDER BY sample_id

-- :name calibration_verdicts
-- A filter's verdicts after one, in their order, on revisions and pictures as they are now; score is NULL where the filter could not judge.
SELECT v.sample_id, v.score FROM verdict v JOIN sample_state t ON t.sample_id = v.sample_id AND t.revision = v.revision
WHERE v.filter = $filter AND v.verdict_id > $since AND v.verdict_id > t.drawn_verdict ORDER BY v.verdict_id

-- :name calibration_labels
-- Samples that people did something with after an event, and what their standing single decisions say: `label` 1 approved, 0 rejected, 2 people
-- disagree, -1 nothing. The latest decision of each reviewer on the current revision and picture counts, an adjudication over all, as in sample_state_derived; bulk
-- ones say nothing here, because nobody looked. `bulk`: there is a bulk decision and no single one.
WITH
asked AS (SELECT DISTINCT sample_id FROM review WHERE ($since IS NULL OR review_id > $since::BIGINT)),
undone AS (SELECT undoes FROM review WHERE action = 'undo' AND undoes IS NOT NULL AND ($since IS NULL OR sample_id IN (FROM asked))),
latest AS (  -- code: the latest event, with what it was in its last four bits; one number, because these may be millions
    SELECT r.sample_id, max(16 * r.review_id + CASE r.action WHEN 'approve' THEN 2 WHEN 'reject' THEN 1 ELSE 0 END
                            + CASE WHEN r.batch_id IS NULL THEN 4 ELSE 0 END + CASE WHEN r.review_id IN (SELECT review_id FROM adjudication) THEN 8 ELSE 0 END) AS code
    FROM review r JOIN sample_state t ON t.sample_id = r.sample_id AND t.revision = r.revision
    WHERE r.review_id > t.drawn_review AND r.action IN ('approve', 'reject', 'reset')
      AND ($since IS NULL OR r.sample_id IN (FROM asked)) AND r.review_id NOT IN (FROM undone)
    GROUP BY r.sample_id, hash(r.reviewer)),
decisions AS (
    SELECT sample_id, count(*) FILTER (single AND yes) AS yes, count(*) FILTER (single AND NOT yes) AS no, arg_max(yes, code) FILTER (single AND settles) AS settled,
           count(*) FILTER (NOT single) AS bulk, max(code) FILTER (single) // 16 AS labelled_by
    FROM (SELECT sample_id, code, code & 2 = 2 AS yes, code & 4 = 4 AS single, code & 8 = 8 AS settles FROM latest WHERE code & 3 <> 0) GROUP BY sample_id)
SELECT a.sample_id, CASE WHEN s.settled THEN 1 WHEN NOT s.settled THEN 0
                           WHEN s.yes > 0 AND s.no > 0 THEN 2 WHEN s.yes > 0 THEN 1 WHEN s.no > 0 THEN 0 ELSE -1 END::TINYINT AS label,
       coalesce(s.yes + s.no = 0 AND s.bulk > 0, false) AS bulk, coalesce(s.labelled_by, 0)::BIGINT AS labelled_by
FROM asked a LEFT JOIN decisions s USING (sample_id)

-- :name calibration_reviewers
-- How many people have decided one by one.
SELECT count(DISTINCT reviewer) FROM review WHERE action IN ('approve', 'reject') AND batch_id IS NULL

-- :name auto_rule_latest
-- The rule that stands (its conditions are NULL where the gate is closed).
SELECT * FROM auto_rule ORDER BY rule_id DESC LIMIT 1

-- :name auto_rules
-- When rules were turned on and off, latest first.
SELECT * FROM auto_rule ORDER BY rule_id DESC LIMIT $limit

-- :name auto_rule_lapses
-- What a rule had approved is pending again: the part of sample_state_judge that follows from closing the gate.
UPDATE sample_state SET undecided = 'pending', status = CASE WHEN decision IS NULL THEN 'pending'::sample_status ELSE status END
WHERE undecided = 'auto_approved'

-- :name auto_rule_applies
-- What a rule approves is no longer pending: the part of sample_state_judge that follows from opening the gate, for the samples that meet the rule.
UPDATE sample_state SET undecided = 'auto_approved', status = CASE WHEN decision IS NULL THEN 'auto_approved'::sample_status ELSE status END
WHERE undecided = 'pending' AND sample_id IN (SELECT unnest($sample_ids::BIGINT[]))

-- :name sample_is_audited
-- Whether a sample is drawn for the audit of the rule that stands: about 5 % of automatic approvals, 1 % of automatic rejections, by hash of
-- sample and rule, so that nobody chooses. A fragment over sample_state t.
EXISTS (FROM (SELECT rule_id, conditions FROM auto_rule ORDER BY rule_id DESC LIMIT 1) a WHERE a.conditions IS NOT NULL
        AND mixed(mixed(t.sample_id) + a.rule_id::UBIGINT) % 10000 < CASE WHEN t.status = 'failed' THEN 100 ELSE 500 END)

-- :name sample_waits_for_audit
-- Whether a sample is in the audit lane and nobody has decided it yet. A fragment over sample_state t.
t.status IN ('auto_approved', 'failed') AND {sample_is_audited}

-- :name audit_waiting
-- The samples in the audit lane that wait for a person, in random order.
SELECT t.sample_id FROM sample_state t WHERE {sample_waits_for_audit} ORDER BY mixed(t.sample_id)

-- :name audit_count
-- How many samples in the audit lane wait for a person.
SELECT count(*) FROM sample_state t WHERE {sample_waits_for_audit}

-- :name samples_assigned
-- The samples that somebody was given to review.
SELECT DISTINCT sample_id FROM review_share

-- :name calibration_checks
-- How many different rules have been checked on the held-back labels, and which in that order this one is (one more than all, if it is new).
WITH checked AS (SELECT value::TEXT AS value, row_number() OVER (ORDER BY min(entry)) AS rank FROM setting WHERE name = 'calibration_check' GROUP BY value::TEXT)
SELECT coalesce((SELECT rank FROM checked WHERE value = $value::JSON::TEXT), count(*) + 1)::BIGINT AS rank, count(*) AS rules FROM checked

