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
SELECT sample_id, revision, list_position($error_types::TEXT[], error_type)::SMALLINT AS error_type, image IS NOT NULL AS drawn,
       status IN ('pending', 'auto_approved') AS undecided, status = 'auto_approved' AS auto, status = 'failed' AS failing
FROM sample_state ORDER BY sample_id

-- :name calibration_verdicts
-- A filter's verdicts after one, in their order; score is NULL where the filter could not judge.
SELECT sample_id, revision, score FROM verdict WHERE filter = $filter AND verdict_id > $since ORDER BY verdict_id

-- :name calibration_labels
-- Samples that people did something with after an event, and what their standing single decisions say: `label` 1 approved, 0 rejected, 2 people
-- disagree, -1 nothing. The latest decision of each reviewer on the current revision counts, an adjudication over all, as in state_derived; bulk
-- ones say nothing here, because nobody looked. `bulk`: there is a bulk decision and no single one.
WITH
asked AS (SELECT DISTINCT sample_id FROM review WHERE review_id > $since),
undone AS (SELECT undoes FROM review WHERE action = 'undo' AND undoes IS NOT NULL),
latest AS (
    SELECT r.sample_id, r.reviewer, arg_max({action: r.action, batch_id: r.batch_id, created_at: r.created_at,
                                        settles: r.review_id IN (SELECT review_id FROM adjudication)}, r.review_id) AS d
    FROM review r JOIN sample_state t ON t.sample_id = r.sample_id AND t.revision = r.revision
    WHERE r.action IN ('approve', 'reject', 'reset') AND r.sample_id IN (FROM asked) AND r.review_id NOT IN (FROM undone)
    GROUP BY ALL),
said AS (
    SELECT sample_id, count(*) FILTER (single AND action = 'approve') AS yes, count(*) FILTER (single AND action = 'reject') AS no,
           arg_max(action, created_at) FILTER (single AND settles) AS settled, count(*) FILTER (NOT single) AS bulk, max(created_at) FILTER (single) AS created_at
    FROM (SELECT sample_id, d.action AS action, d.batch_id IS NULL AS single, d.settles AS settles, d.created_at AS created_at FROM latest WHERE d.action <> 'reset') GROUP BY sample_id)
SELECT a.sample_id, CASE WHEN s.settled = 'approve' THEN 1 WHEN s.settled = 'reject' THEN 0
                           WHEN s.yes > 0 AND s.no > 0 THEN 2 WHEN s.yes > 0 THEN 1 WHEN s.no > 0 THEN 0 ELSE -1 END::TINYINT AS label,
       coalesce(s.yes + s.no = 0 AND s.bulk > 0, false) AS bulk, coalesce(epoch(s.created_at), 0)::DOUBLE AS labelled_at
FROM asked a LEFT JOIN said s USING (sample_id)

-- :name calibration_reviewers
-- How many people have decided one by one.
SELECT count(DISTINCT reviewer) FROM review WHERE action IN ('approve', 'reject') AND batch_id IS NULL

-- :name auto_rule_latest
-- The rule that stands (its conditions are NULL where the gate is closed).
SELECT *, epoch(created_at) AS opened_at FROM auto_rule ORDER BY rule_id DESC LIMIT 1

-- :name auto_rules
-- When rules were turned on and off, latest first.
SELECT * FROM auto_rule ORDER BY rule_id DESC LIMIT $limit

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

-- :name calibration_checks
-- How many rules have been checked on the held-back labels, and whether this one was before.
SELECT count(DISTINCT value::TEXT) AS rules, coalesce(bool_or(value = $value::JSON), false) AS known FROM setting WHERE name = 'calibration_check'
