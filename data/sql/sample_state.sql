-- :name touched_clear
-- Forgets which samples a transaction touched (`touched` is a temporary table of the writer).
DELETE FROM touched

-- :name touch_all
-- Marks every sample as touched: the rebuild of sample_state.
INSERT INTO touched SELECT sample_id FROM sample

-- :name sample_state_forget
-- Takes the state of the touched samples away before it is written anew.
DELETE FROM sample_state WHERE sample_id IN (FROM touched)

-- :name sample_state_write
-- Writes the state of the touched samples, from the logs alone. Nothing but this and its parts below writes sample_state.
INSERT INTO sample_state BY NAME {sample_state_derived} ORDER BY sample_id

-- :name sample_state_judge
-- The part of it that follows from verdicts, settings and the rule: enough where just these changed.
UPDATE sample_state s SET judged = n.judged, failed = n.failed, unsure = n.unsure, undecided = n.undecided::sample_status,
    status = CASE WHEN s.decision IS NULL THEN n.undecided::sample_status ELSE s.status END
FROM (WITH text AS (SELECT sample_id, revision, image, drawn_verdict, round FROM sample_state WHERE sample_id IN (FROM touched)), {sample_state_judgements}
      SELECT * FROM judgements) n
WHERE n.sample_id = s.sample_id
  AND (s.judged <> n.judged OR s.failed <> n.failed OR s.unsure <> n.unsure OR s.undecided <> n.undecided::sample_status)

-- :name sample_state_decide
-- The part of it that follows from decisions: enough where just these were added.
UPDATE sample_state s SET decision = n.decision, decided_by = n.decided_by,
    status = CASE n.decision {status_of_decision} ELSE s.undecided END
FROM (WITH text AS (SELECT sample_id, revision, drawn_review FROM sample_state WHERE sample_id IN (FROM touched)), {sample_state_decisions}
      SELECT sample_id, d.decision, d.decided_by FROM text LEFT JOIN decisions d USING (sample_id)) n WHERE n.sample_id = s.sample_id

-- :name sample_state_decide_these
-- That part for a few samples by their ids.
UPDATE sample_state s SET decision = n.decision, decided_by = n.decided_by,
    status = CASE n.decision {status_of_decision} ELSE s.undecided END
FROM (WITH text AS (SELECT sample_id, revision, drawn_review FROM sample_state WHERE sample_id IN (SELECT unnest($sample_ids::BIGINT[]))), {sample_state_decisions}
      SELECT sample_id, d.decision, d.decided_by FROM text LEFT JOIN decisions d USING (sample_id)) n
WHERE n.sample_id = s.sample_id RETURNING s.sample_id, s.status::TEXT AS status

-- :name sample_state_first_decision
-- That part for samples without a decision: the one that was just made. Two million reviews need not be looked through for it.
UPDATE sample_state SET decision = $action, decided_by = $reviewer, status = CASE $action::TEXT {status_of_decision} END
WHERE sample_id IN (SELECT unnest($sample_ids::BIGINT[])) AND decision IS NULL RETURNING sample_id, status::TEXT AS status

-- :name sample_state_derived
-- The state that follows from the logs, for the touched samples.
-- A verdict or a decision counts if it names the current revision and came after the current picture (by number, never by clock).
WITH
text AS (
    SELECT s.sample_id, coalesce(r.revision, 0) AS revision, coalesce(r.question, s.question) AS question,
           coalesce(r.choices, s.choices) AS choices, coalesce(r.answer, s.answer) AS answer, coalesce(d.image, s.image) AS image,
           coalesce(d.drawn_review, 0) AS drawn_review, coalesce(d.drawn_verdict, 0) AS drawn_verdict,
           s.round, s.dataset, coalesce(y.current, s.error_type) AS error_type, s.route, s.failure_id
    FROM sample s LEFT JOIN error_type_alias y ON y.name = s.error_type
    LEFT JOIN (SELECT * FROM revision WHERE sample_id IN (FROM touched)
               QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY revision DESC) = 1) r USING (sample_id)
    LEFT JOIN (SELECT sample_id, arg_max(image, drawing_id) AS image, max(review_mark) AS drawn_review, max(verdict_mark) AS drawn_verdict
               FROM drawing WHERE sample_id IN (FROM touched) GROUP BY sample_id) d USING (sample_id)
    WHERE s.sample_id IN (FROM touched)),
{sample_state_judgements},
{sample_state_decisions}
SELECT t.sample_id, t.round, t.dataset, t.error_type, t.route, t.failure_id, t.revision, t.question, t.choices, t.answer, t.image,
       j.judged, j.failed, j.unsure, j.undecided::sample_status AS undecided, d.decision, d.decided_by,
       CASE d.decision {status_of_decision} ELSE j.undecided END::sample_status AS status, t.drawn_review, t.drawn_verdict
FROM text t JOIN judgements j USING (sample_id) LEFT JOIN decisions d USING (sample_id)

-- :name status_of_decision
-- Part of the state: the status that follows from people's decision.
WHEN 'approve' THEN 'approved'::sample_status WHEN 'reject' THEN 'rejected'::sample_status WHEN 'disputed' THEN 'disputed'::sample_status

-- :name sample_state_judgements
-- Part of the state: what filters and the rule say of the samples in `text`.
-- unsure: 1 less how much the filters disagree (all where half of them fail it), and how near the nearest score is to its threshold, 0 to 1 each;
-- a score right on it tells nothing: it is where graded scores stand. Undrawn samples come last.
-- A sample of round 0 was made without a failure, for an experiment: it waits for nobody and is approved by no rule.
verdicts AS (
    SELECT v.sample_id, v.filter, v.score
    FROM verdict v JOIN text t ON t.sample_id = v.sample_id AND t.revision = v.revision
    WHERE v.sample_id IN (FROM touched) AND v.verdict_id > t.drawn_verdict
    QUALIFY row_number() OVER (PARTITION BY v.sample_id, v.filter ORDER BY v.verdict_id DESC) = 1),
enabled AS (SELECT filter, 1::UBIGINT << bit AS bit, comparison, threshold FROM current_filter WHERE enabled),
demanded AS (
    SELECT c.filter, coalesce(max(c.threshold) FILTER (c.comparison = 'at_least'), '-inf') AS low,
           coalesce(min(c.threshold) FILTER (c.comparison = 'at_most'), 'inf') AS high
    FROM (SELECT unnest(conditions) AS c FROM (SELECT conditions FROM auto_rule ORDER BY rule_id DESC LIMIT 1)) GROUP BY c.filter),
masks AS (
    SELECT sample_id, bit_or(f.bit) FILTER (score IS NOT NULL) AS judged,
           bit_or(f.bit) FILTER (CASE f.comparison WHEN 'at_least' THEN score < f.threshold ELSE score > f.threshold END) AS failed,
           min(least(nullif(abs(score - f.threshold), 0) / greatest(abs(f.threshold), 1), 0.99)) AS margin,
           count(*) FILTER (score BETWEEN c.low AND c.high) AS met
    FROM verdicts LEFT JOIN enabled f USING (filter) LEFT JOIN demanded c USING (filter) GROUP BY sample_id),
weighed AS (
    SELECT t.sample_id, t.image, t.round, coalesce(m.judged, 0::UBIGINT) AS judged, coalesce(m.failed, 0::UBIGINT) AS failed, coalesce(m.margin, 0.995) AS margin,
           bit_count(coalesce(m.judged, 0::UBIGINT)::HUGEINT) AS opinions, bit_count(coalesce(m.failed, 0::UBIGINT)::HUGEINT) AS against, coalesce(m.met, 0) AS met
    FROM text t LEFT JOIN masks m USING (sample_id)),
judgements AS (
    SELECT w.sample_id, w.judged, w.failed,
           CASE WHEN w.image IS NULL THEN 9 ELSE 2 - 4 * against * (opinions - against) / greatest(opinions * opinions, 1) + margin END::DOUBLE AS unsure,
           CASE WHEN w.image IS NULL THEN 'undrawn' WHEN w.round = 0 THEN 'unfiltered' WHEN w.failed <> 0 THEN 'failed' WHEN w.judged <> e.mask THEN 'unfiltered'
                WHEN e.demands > 0 AND w.met = e.demands THEN 'auto_approved' ELSE 'pending' END AS undecided
    FROM weighed w
    CROSS JOIN (SELECT (SELECT coalesce(bit_or(bit), 0::UBIGINT) FROM enabled) AS mask, (SELECT count(*) FROM demanded) AS demands) e)

-- :name sample_state_decisions
-- Part of the state: what people decided on the samples in `text`. The latest of each reviewer counts that is not undone; reset removes it;
-- disagreement is disputed, until one of them is an adjudication: that counts over all.
events AS MATERIALIZED (
    SELECT sample_id, revision, review_id, reviewer, action, undoes FROM review WHERE sample_id IN (SELECT sample_id FROM text)),
latest AS (
    SELECT r.sample_id, r.reviewer, max(r.review_id) AS review_id, arg_max(r.action, r.review_id) AS action
    FROM events r JOIN text t ON t.sample_id = r.sample_id AND t.revision = r.revision
    WHERE r.action IN ('approve', 'reject', 'reset') AND r.review_id NOT IN (SELECT undoes FROM events WHERE undoes IS NOT NULL)
      AND r.review_id > t.drawn_review
    GROUP BY r.sample_id, r.reviewer),
standing AS (SELECT *, review_id IN (SELECT review_id FROM adjudication) AS settles FROM latest WHERE action <> 'reset'),
decisions AS (
    SELECT sample_id, CASE WHEN bool_or(settles) THEN arg_max(action::TEXT, review_id) FILTER (settles)
                           WHEN min(action) <> max(action) THEN 'disputed' ELSE min(action)::TEXT END AS decision,
           arg_max(reviewer, (settles, review_id)) AS decided_by
    FROM standing GROUP BY sample_id)

-- :name sample_state_differences
-- How many rows of sample_state differ from what the logs say (all samples must be touched).
WITH derived AS MATERIALIZED (FROM ({sample_state_derived}))
SELECT count(*) FROM ((FROM sample_state EXCEPT FROM derived) UNION ALL (FROM derived EXCEPT FROM sample_state))

-- :name sample_statuses
-- How many samples have each status.
SELECT status::TEXT AS status, count(*) AS count FROM sample_state GROUP BY ALL ORDER BY ALL
