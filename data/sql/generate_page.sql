-- :name generate_clusters
-- The clusters of a round with their teachable failures, most first.
SELECT c.cluster_id, c.title, c.error_type, count(*) AS failures, count(*) FILTER (f.teachable) AS teachable
FROM failure_card f JOIN cluster c USING (cluster_id) WHERE f.round = $round
GROUP BY ALL HAVING count(*) FILTER (f.teachable) > 0 ORDER BY teachable DESC, c.title

-- :name generate_round
-- How much there is to practise in a round, and what a newcomer has to do first.
SELECT count(*) AS failures, count(*) FILTER (diagnosis_id IS NOT NULL) AS diagnosed, count(*) FILTER (teachable) AS teachable
FROM failure_card WHERE round = $round

-- :name generate_by_error_type
-- Teachable failures by error type, of the chosen failures or clusters.
SELECT error_type, count(*) AS teachable FROM failure_card
WHERE round = $round AND teachable AND ($failure_ids IS NULL OR failure_id IN (SELECT unnest($failure_ids::BIGINT[])))
  AND ($selected IS NULL OR get_bit($selected::BLOB::BIT, least(failure_id, bit_length($selected::BLOB::BIT) - 1)::INTEGER) = 1)
  AND ($cluster_ids IS NULL OR list_contains($cluster_ids::BIGINT[], cluster_id))
GROUP BY 1 ORDER BY 2 DESC, 1

-- :name endpoints_used
-- Frontier models that jobs have asked, latest first.
SELECT options->>'endpoint' AS endpoint, options->>'model' AS model FROM job
WHERE options->>'endpoint' IS NOT NULL AND options->>'model' IS NOT NULL GROUP BY ALL ORDER BY max(job_id) DESC LIMIT 8

-- :name generators_used
-- Image generators that jobs have drawn with, and their further options (an address, say), latest first.
SELECT options->>'generator' AS generator, options->>'model' AS model, coalesce(options->>'generator_options', '{}') AS further FROM job
WHERE stage = 'draw' AND options->>'model' IS NOT NULL GROUP BY ALL ORDER BY max(job_id) DESC LIMIT 8

-- :name seconds_per_row
-- How long a row of a stage took in the latest job that ended, in seconds; only jobs with the named model where one is named.
SELECT seconds / done AS seconds FROM job
WHERE stage = $stage AND status = 'done' AND done > 0 AND seconds > 0 AND ($model IS NULL OR coalesce(options->>'model', $model) = $model)
ORDER BY job_id DESC LIMIT 1

-- :name generate_jobs
-- The latest generate jobs.
SELECT job_id, status::TEXT AS status, created_at, total, done FROM job WHERE stage = 'generate' ORDER BY job_id DESC LIMIT 30

-- :name generate_funnel
-- What became of the samples of a job, each step a part of the one before.
WITH enabled AS (SELECT coalesce(bit_or(1::UBIGINT << bit), 0::UBIGINT) AS mask FROM current_filter WHERE enabled)
SELECT count(*) AS parsed, count(*) FILTER (t.image IS NOT NULL) AS drawn, count(*) FILTER (t.image IS NOT NULL AND s.picture_spec IS NOT NULL) AS rendered,
       count(*) FILTER (t.image IS NOT NULL AND t.judged = e.mask) AS judged,
       count(*) FILTER (t.image IS NOT NULL AND t.judged = e.mask AND t.failed = 0) AS passed,
       count(*) FILTER (t.status IN ('approved', 'auto_approved')) AS approved,
       count(*) FILTER (t.status = 'pending') AS pending, count(*) FILTER (t.status = 'failed') AS failed,
       count(*) FILTER (t.status = 'rejected') AS rejected
FROM sample s JOIN sample_state t USING (sample_id) CROSS JOIN enabled e WHERE s.job_id = $job_id

-- :name generate_latest
-- The latest samples of a job, those with a picture first.
SELECT t.sample_id, t.question, t.choices, t.answer, t.image, t.error_type, t.route::TEXT AS route, t.status::TEXT AS status, s.image_prompt,
       s.picture_spec->>'kind' AS spec_kind
FROM sample s JOIN sample_state t USING (sample_id) LEFT JOIN (SELECT sample_id, max(drawing_id) AS drawing_id FROM drawing GROUP BY 1) d USING (sample_id)
WHERE s.job_id = $job_id ORDER BY t.image IS NULL, d.drawing_id DESC NULLS LAST, t.sample_id DESC LIMIT $limit

-- :name generate_errors
-- Rows of a generate job that failed, with their failure and the raw reply.
SELECT e.key, e.error, coalesce(r.body, e.reply) AS reply, f.failure_id, f.question, f.image, f.error_type
FROM row_error e LEFT JOIN reply r ON r.key = e.reply
LEFT JOIN failure_card f ON f.failure_id = TRY_CAST(split_part(e.key, '/', 1) AS BIGINT)
WHERE e.job_id = $job_id ORDER BY e.key LIMIT $limit
