-- :name finetune_samples
-- What would be trained on: approved samples by error type, route, dataset and who approved.
SELECT t.error_type, t.route::TEXT AS route, t.dataset, t.status::TEXT AS status, count(*) AS samples FROM sample_state t
WHERE t.status IN ('approved', 'auto_approved') AND t.image IS NOT NULL AND t.round <= $round AND {sample_of_loop} AND ($earlier OR t.round = $round) GROUP BY ALL

-- :name finetune_leaks
-- Of these, how many fail the leakage filter, or have no verdict of it on what is approved; `bit` is NULL while there is no such filter.
SELECT f.bit, count(*) FILTER ((t.failed >> f.bit) & 1 = 1) AS leaking,
       count(*) FILTER ((t.judged >> f.bit) & 1 = 0) AS unjudged
FROM sample_state t CROSS JOIN (SELECT bit FROM current_filter WHERE filter = 'leakage' AND enabled) f
WHERE t.status IN ('approved', 'auto_approved') AND t.image IS NOT NULL AND t.round <= $round AND {sample_of_loop} AND ($earlier OR t.round = $round) GROUP BY ALL

-- :name finetune_waiting
-- What could still be approved: samples that people have not looked at, and those not filtered yet.
SELECT count(*) FILTER (status = 'pending') AS pending, count(*) FILTER (status = 'unfiltered') AS unfiltered,
       count(*) FILTER (status = 'undrawn') AS undrawn, count(*) AS samples FROM sample_state t WHERE {sample_of_loop}

-- :name finetune_jobs
-- All finetunes, latest first, with the run and the checkpoint they made.
SELECT j.job_id, j.status::TEXT AS status, coalesce(w.error, j.message) AS message, j.options, j.seconds, j.created_at, j.round, r.run_id, r.samples, r.replay,
       coalesce(p.name, j.options->>'checkpoint', o.name) AS parent, c.name AS checkpoint
FROM job j LEFT JOIN run r USING (job_id) LEFT JOIN round n ON n.round = j.round LEFT JOIN checkpoint o ON o.checkpoint_id = n.checkpoint_id
LEFT JOIN checkpoint p ON p.checkpoint_id = r.parent LEFT JOIN checkpoint c ON c.checkpoint_id = r.checkpoint_id
LEFT JOIN row_error w ON w.job_id = j.job_id
WHERE j.stage = 'finetune' ORDER BY j.job_id DESC LIMIT 100

-- :name eval_count
-- How many eval examples a checkpoint has answered, and how many there are.
SELECT (SELECT count(*) FROM prediction p JOIN example e USING (example_id) WHERE e.split = 'eval' AND p.checkpoint_id = $checkpoint_id) AS answered,
       (SELECT count(*) FROM example WHERE split = 'eval') AS examples
