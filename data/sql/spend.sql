-- :name lost_position
-- Up to where lost calls have been copied from the journal.
SELECT coalesce(max(position), 0) FROM lost_call

-- :name paid_and_lost
-- Calls by job, purpose and model, those that came to nothing beside those that were answered. A fragment.
SELECT job_id, purpose, endpoint, model, count(*) AS calls, sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens,
       sum(cached_tokens) AS cached_tokens, sum(cost_usd) AS usd, count(*) FILTER (cost_usd IS NULL) AS unpriced, 0 AS lost, 0.0 AS lost_usd
FROM reply WHERE ($job_id IS NULL OR job_id = $job_id) GROUP BY ALL
UNION ALL BY NAME
SELECT job_id, purpose, endpoint, model, 0 AS calls, 0 AS prompt_tokens, 0 AS completion_tokens, 0 AS cached_tokens, NULL AS usd, 0 AS unpriced,
       count(*) AS lost, sum(worst_usd) AS lost_usd
FROM lost_call WHERE ($job_id IS NULL OR job_id = $job_id) GROUP BY ALL

-- :name sums_of_calls
-- What is summed of calls. A fragment.
sum(calls)::BIGINT AS calls, coalesce(sum(prompt_tokens), 0)::BIGINT AS prompt_tokens, coalesce(sum(completion_tokens), 0)::BIGINT AS completion_tokens,
coalesce(sum(cached_tokens), 0)::BIGINT AS cached_tokens, sum(usd) AS usd, sum(unpriced)::BIGINT AS unpriced, sum(lost)::BIGINT AS lost,
sum(lost_usd)::DOUBLE AS lost_usd

-- :name spend_by_model
-- Spend by stage, purpose and model. `usd` is NULL where nothing is priced.
SELECT j.stage, p.purpose, p.endpoint, p.model, {sums_of_calls}
FROM ({paid_and_lost}) p LEFT JOIN job j USING (job_id) GROUP BY ALL ORDER BY usd DESC NULLS LAST, calls DESC

-- :name job_calls_by_model
-- What a job has asked, by purpose and model. `usd` is NULL where nothing is priced.
SELECT purpose, endpoint, model, {sums_of_calls} FROM ({paid_and_lost}) GROUP BY ALL ORDER BY calls DESC

-- :name job_spend_lately
-- What a job has paid in the last so many seconds.
SELECT coalesce(sum(cost_usd), 0) AS usd FROM reply WHERE job_id = $job_id AND created_at > now() - to_seconds($seconds::DOUBLE)

-- :name spend_span
-- When the first and the last priced reply came, in seconds since 1970; NULL where nothing is priced.
SELECT min(epoch(created_at)) AS first, max(epoch(created_at)) AS last FROM reply WHERE cost_usd IS NOT NULL AND created_at IS NOT NULL

-- :name spend_over_time
-- Spend by stage of the job that paid, in steps of $seconds; a step is named by its begin, in seconds since 1970. What has no price is left out.
SELECT floor(epoch(r.created_at) / $seconds::DOUBLE) * $seconds::DOUBLE AS begins, coalesce(j.stage, 'no job') AS stage, sum(r.cost_usd) AS usd
FROM reply r LEFT JOIN job j USING (job_id) WHERE r.cost_usd IS NOT NULL AND r.created_at IS NOT NULL
GROUP BY ALL ORDER BY begins, stage

-- :name spend_by_stage
-- Spend of each round by the stage of the job that paid; NULL where nothing is priced. What no job paid (tests) is of round 0.
SELECT coalesce(j.round, 0) AS round, coalesce(j.stage, 'no job') AS stage, {sums_of_calls}
FROM ({paid_and_lost}) p LEFT JOIN job j USING (job_id) GROUP BY ALL ORDER BY round DESC, usd DESC NULLS LAST

-- :name approved_by_round
-- Samples of each round, and those that are approved.
SELECT round, count(*) AS samples, count(*) FILTER (status IN ('approved', 'auto_approved')) AS approved FROM sample_state GROUP BY ALL

-- :name paid_jobs
-- What each job of a stage has paid. A fragment.
SELECT r.job_id, j.stage, sum(r.cost_usd) AS usd FROM reply r JOIN job j USING (job_id) WHERE r.cost_usd IS NOT NULL GROUP BY ALL

-- :name cost_of_samples
-- What each sample has cost. A reply is shared evenly by the samples that it proposed, a job's drawing and judging by those it worked on.
WITH paid AS MATERIALIZED ({paid_jobs}),
chosen AS (SELECT sample_id, replies, failure_id FROM sample WHERE ($job_id IS NULL OR job_id = $job_id) AND ($round IS NULL OR round = $round)),
proposals AS (SELECT sample_id, unnest(replies) AS key FROM sample WHERE ($round IS NULL OR round = $round)),
asked AS (SELECT key, any_value(r.cost_usd) / count(*) AS usd FROM proposals JOIN reply r USING (key) GROUP BY key),
proposed AS (SELECT sample_id, sum(a.usd) AS usd FROM (SELECT sample_id, unnest(replies) AS key FROM chosen) c JOIN asked a USING (key) GROUP BY 1),
worked AS (
    SELECT DISTINCT 'draw' AS stage, sample_id, job_id FROM drawing WHERE job_id IN (SELECT job_id FROM paid)
    UNION ALL
    SELECT DISTINCT 'filter' AS stage, sample_id, job_id FROM verdict WHERE job_id IN (SELECT job_id FROM paid)),
per_sample AS (SELECT w.stage, w.job_id, any_value(p.usd) / count(*) AS usd FROM worked w JOIN paid p USING (job_id, stage) GROUP BY ALL),
done AS (
    SELECT w.sample_id, sum(e.usd) FILTER (w.stage = 'draw') AS draw_usd, sum(e.usd) FILTER (w.stage = 'filter') AS filter_usd
    FROM worked w JOIN per_sample e USING (stage, job_id) GROUP BY 1)
SELECT c.sample_id, c.failure_id, p.usd AS generate_usd, d.draw_usd, d.filter_usd
FROM chosen c LEFT JOIN proposed p USING (sample_id) LEFT JOIN done d USING (sample_id)

-- :name spend_by_cluster
-- What a round's clusters have cost, from the diagnosis of their failures to the judging of their samples. NULL where nothing is priced.
-- A reply that several diagnoses stand on was paid once: those of one failure count it once, several failures share it.
WITH samples AS ({cost_of_samples}),
named AS (SELECT f.failure_id, f.cluster_id FROM failure_card f WHERE f.round = $round),
diagnosis_replies AS (SELECT DISTINCT failure_id, unnest(replies) AS key FROM diagnosis),
shared AS (SELECT key, any_value(r.cost_usd) / count(*) AS usd FROM diagnosis_replies JOIN reply r USING (key) GROUP BY key),
diagnosed AS (
    SELECT n.cluster_id, count(DISTINCT h.failure_id) AS failures, sum(s.usd) AS usd
    FROM diagnosis_replies h JOIN named n USING (failure_id) JOIN shared s USING (key) GROUP BY 1),
made AS (
    SELECT n.cluster_id, count(*) AS samples, count(*) FILTER (t.status IN ('approved', 'auto_approved')) AS approved,
           sum(s.generate_usd) AS generate_usd, sum(s.draw_usd) AS draw_usd, sum(s.filter_usd) AS filter_usd
    FROM samples s JOIN sample_state t USING (sample_id) JOIN named n ON n.failure_id = s.failure_id GROUP BY 1)
SELECT c.cluster_id, coalesce(c.title, 'in no cluster') AS title, c.error_type, coalesce(d.failures, 0) AS failures, d.usd AS diagnose_usd,
       coalesce(m.samples, 0) AS samples, coalesce(m.approved, 0) AS approved, m.generate_usd, m.draw_usd, m.filter_usd
FROM diagnosed d FULL JOIN made m ON m.cluster_id IS NOT DISTINCT FROM d.cluster_id
LEFT JOIN cluster c ON c.cluster_id = coalesce(m.cluster_id, d.cluster_id)
ORDER BY coalesce(d.usd, 0) + coalesce(m.generate_usd, 0) + coalesce(m.draw_usd, 0) + coalesce(m.filter_usd, 0) DESC, title

-- :name spend_of_generate_job
-- What a generate job's samples have cost so far, and how many of them are approved.
SELECT count(*) FILTER (t.status IN ('approved', 'auto_approved')) AS approved, sum(s.generate_usd) AS generate_usd, sum(s.draw_usd) AS draw_usd,
       sum(s.filter_usd) AS filter_usd
FROM ({cost_of_samples}) s JOIN sample_state t USING (sample_id)
