-- :name filter_scores
-- How the scores of each filter on the current revisions are spread.
WITH latest AS (
    SELECT v.filter, v.score FROM verdict v JOIN sample_state t USING (sample_id, revision) WHERE v.score IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY v.sample_id, v.filter ORDER BY v.verdict_id DESC) = 1)
SELECT filter, round(score, 2) AS score, count(*) AS samples FROM latest GROUP BY ALL ORDER BY ALL

-- :name filter_moves
-- How many samples would go from one status to another if a filter were set so; the rules are those of state_derived.
WITH
f AS (SELECT 1::UBIGINT << bit AS bit, comparison FROM current_filter WHERE filter = $filter),
enabled AS (SELECT coalesce(bit_or(1::UBIGINT << bit), 0::UBIGINT) AS mask FROM current_filter
            WHERE CASE WHEN filter = $filter THEN $enabled ELSE enabled END),
scores AS (SELECT v.sample_id, v.score FROM verdict v JOIN sample_state t USING (sample_id, revision) WHERE v.filter = $filter
           QUALIFY row_number() OVER (PARTITION BY v.sample_id ORDER BY v.verdict_id DESC) = 1),
own AS (
    SELECT t.sample_id, t.status::TEXT AS status, t.decision, t.image, t.judged - (t.judged & f.bit) AS judged, t.failed - (t.failed & f.bit) AS failed, f.bit,
           $enabled AND s.score IS NOT NULL AS scored,
           $enabled AND s.score IS NOT NULL AND NOT CASE f.comparison WHEN 'at_least' THEN s.score >= $threshold ELSE s.score <= $threshold END AS fails
    FROM sample_state t CROSS JOIN f LEFT JOIN scores s USING (sample_id)),
moved AS (
    SELECT o.status AS before,
           CASE o.decision WHEN 'approve' THEN 'approved' WHEN 'reject' THEN 'rejected' WHEN 'disputed' THEN 'disputed'
                ELSE CASE WHEN o.image IS NULL THEN 'undrawn' WHEN o.failed <> 0 OR o.fails THEN 'failed'
                          WHEN o.judged + CASE WHEN o.scored THEN o.bit ELSE 0::UBIGINT END <> e.mask THEN 'unfiltered' ELSE 'pending' END
           END AS after
    FROM own o CROSS JOIN enabled e)
SELECT before, after, count(*) AS samples FROM moved WHERE before <> after GROUP BY ALL ORDER BY samples DESC

-- :name filter_failing
-- How many samples each enabled filter fails at its setting, decided or not.
SELECT f.filter, count(*) FILTER ((t.judged >> f.bit) & 1 = 1) AS judged, count(*) FILTER ((t.failed >> f.bit) & 1 = 1) AS failing
FROM current_filter f CROSS JOIN sample_state t GROUP BY f.filter

-- :name filter_history
-- Earlier settings of the filters, latest first.
SELECT filter, enabled, threshold, author, created_at FROM filter_setting ORDER BY setting_id DESC LIMIT 40

-- :name reviewers
-- Who has reviewed, how much, and when last.
SELECT reviewer, count(*) FILTER (action IN ('approve', 'reject')) AS decisions, count(*) FILTER (action = 'edit') AS edits,
       count(*) FILTER (action = 'reject') AS rejections, max(created_at) AS last_at
FROM review GROUP BY reviewer ORDER BY decisions DESC, reviewer

-- :name models_used
-- Models that were asked, with the calls that have no price.
SELECT model, count(*) AS calls, count(*) FILTER (cost_usd IS NULL) AS unpriced, sum(cost_usd) AS usd FROM reply GROUP BY model ORDER BY calls DESC

-- :name jobs_with_leftovers
-- Jobs that are done without a failed row since some days: their inputs and results are in the store.
SELECT job_id FROM job WHERE status = 'done' AND failed = 0 AND stage <> 'finetune' AND ended_at < now() - to_days($days::INTEGER) ORDER BY job_id
