-- :name touched_clear
-- Forgets which samples a transaction touched (`touched` is a temporary table of the writer).
DELETE FROM touched

-- :name touch_all
-- Marks every sample as touched: the rebuild of sample_state.
INSERT INTO touched SELECT sample_id FROM sample

-- :name state_refresh
-- Writes the state of the touched samples anew, from the logs alone. Nothing else writes sample_state.
INSERT OR REPLACE INTO sample_state {state_derived}

-- :name state_derived
-- The state that follows from the logs, for the touched samples.
-- Decisions: the latest of each reviewer that is not undone and names the current revision; reset removes it; disagreement is disputed, until one of
-- them is an adjudication: that counts over all.
WITH
text AS (
    SELECT s.sample_id, coalesce(r.revision, 0) AS revision, coalesce(r.question, s.question) AS question,
           coalesce(r.choices, s.choices) AS choices, coalesce(r.answer, s.answer) AS answer, coalesce(d.image, s.image) AS image,
           s.round, s.dataset, s.error_type, s.route, s.failure_id
    FROM sample s
    LEFT JOIN (SELECT * FROM revision WHERE sample_id IN (FROM touched)
               QUALIFY row_number() OVER (PARTITION BY sample_id ORDER BY revision DESC) = 1) r USING (sample_id)
    LEFT JOIN (SELECT sample_id, arg_max(image, (created_at, job_id)) AS image FROM drawing WHERE sample_id IN (FROM touched) GROUP BY sample_id) d
        USING (sample_id)
    WHERE s.sample_id IN (FROM touched)),
verdicts AS (
    SELECT v.sample_id, v.filter, v.score
    FROM verdict v JOIN text USING (sample_id, revision) WHERE v.sample_id IN (FROM touched)
    QUALIFY row_number() OVER (PARTITION BY v.sample_id, v.filter ORDER BY v.verdict_id DESC) = 1),
masks AS (
    SELECT sample_id, bit_or(1::UBIGINT << f.bit) AS judged,
           bit_or(CASE WHEN CASE f.comparison WHEN 'at_least' THEN score >= f.threshold ELSE score <= f.threshold END
                       THEN 0::UBIGINT ELSE 1::UBIGINT << f.bit END) AS failed
    FROM verdicts JOIN current_filter f USING (filter) WHERE f.enabled AND score IS NOT NULL GROUP BY sample_id),
undone AS (
    SELECT undoes FROM review WHERE action = 'undo' AND sample_id IN (FROM touched)),
latest AS (
    SELECT r.sample_id, r.reviewer, r.action, r.review_id, r.review_id IN (SELECT review_id FROM adjudication) AS settles
    FROM review r JOIN text USING (sample_id, revision)
    WHERE r.sample_id IN (FROM touched) AND r.action IN ('approve', 'reject', 'reset') AND r.review_id NOT IN (SELECT undoes FROM undone WHERE undoes IS NOT NULL)
    QUALIFY row_number() OVER (PARTITION BY r.sample_id, r.reviewer ORDER BY r.review_id DESC) = 1),
decisions AS (
    SELECT sample_id, CASE WHEN bool_or(settles) THEN arg_max(action::TEXT, review_id) FILTER (settles)
                           WHEN count(DISTINCT action) > 1 THEN 'disputed' ELSE min(action::TEXT) END AS decision,
           arg_max(reviewer, (settles, review_id)) AS decided_by
    FROM latest WHERE action <> 'reset' GROUP BY sample_id),
enabled AS (SELECT coalesce(bit_or(1::UBIGINT << bit), 0::UBIGINT) AS mask FROM current_filter WHERE enabled)
SELECT t.sample_id, t.round, t.dataset, t.error_type, t.route, t.failure_id, t.revision, t.question, t.choices, t.answer, t.image,
       coalesce(m.judged, 0::UBIGINT) AS judged, coalesce(m.failed, 0::UBIGINT) AS failed, d.decision, d.decided_by,
       CASE d.decision WHEN 'approve' THEN 'approved' WHEN 'reject' THEN 'rejected' WHEN 'disputed' THEN 'disputed'
            ELSE CASE WHEN t.image IS NULL THEN 'undrawn' WHEN coalesce(m.failed, 0::UBIGINT) <> 0 THEN 'failed'
                      WHEN coalesce(m.judged, 0::UBIGINT) <> e.mask THEN 'unfiltered' ELSE 'pending' END
       END AS status
FROM text t CROSS JOIN enabled e LEFT JOIN masks m USING (sample_id) LEFT JOIN decisions d USING (sample_id)

-- :name state_differences
-- How many rows of sample_state differ from what the logs say (all samples must be touched).
SELECT count(*) FROM ((FROM sample_state EXCEPT FROM ({state_derived})) UNION ALL (FROM ({state_derived}) EXCEPT FROM sample_state))

-- :name sample_statuses
-- How many samples have each status.
SELECT status::TEXT AS status, count(*) AS count FROM sample_state GROUP BY ALL ORDER BY ALL
