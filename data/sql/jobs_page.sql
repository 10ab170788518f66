-- :name jobs_page
-- A page of jobs, newest first, with the paid calls of each; by status and stage where these are given.
SELECT j.job_id, coalesce(c.calls, 0) AS calls, coalesce(c.unpriced, 0) AS unpriced
FROM job j LEFT JOIN (SELECT job_id, count(*) AS calls, count(*) FILTER (cost_usd IS NULL) AS unpriced FROM reply GROUP BY job_id) c USING (job_id)
WHERE ($status IS NULL OR j.status::TEXT = $status) AND ($stage IS NULL OR j.stage = $stage)
ORDER BY j.job_id DESC LIMIT $limit OFFSET $offset

-- :name jobs_by_kind
-- How many jobs there are of each status and stage.
SELECT status::TEXT AS status, stage, count(*) AS jobs FROM job GROUP BY ALL ORDER BY jobs DESC, status, stage

-- :name job_outputs
-- What a job has put into the store, by noun.
SELECT (SELECT count(*) FROM prediction WHERE job_id = $job_id) AS predictions, (SELECT count(*) FROM diagnosis WHERE job_id = $job_id) AS diagnoses,
       (SELECT count(*) FROM cluster WHERE job_id = $job_id) AS clusters, (SELECT count(*) FROM sample WHERE job_id = $job_id) AS samples,
       (SELECT count(*) FROM drawing WHERE job_id = $job_id) AS pictures, (SELECT count(*) FROM verdict WHERE job_id = $job_id) AS verdicts
