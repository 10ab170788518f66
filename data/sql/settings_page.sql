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
