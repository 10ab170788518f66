-- Prompts: their versions, on what a version is looked at, and what comparing two of them has brought.

-- :name prompt_versions
-- The saved versions of a prompt, newest first.
SELECT version, text, note, author, created_at FROM prompt_version WHERE prompt = $prompt ORDER BY rowid DESC

-- :name prompt_jobs
-- In how many jobs each version of a prompt was used.
SELECT version, count(*) AS jobs FROM (SELECT json_extract_string(options, '$.prompts."' || coalesce($prompt, '-') || '"') AS version FROM job)
WHERE version IS NOT NULL GROUP BY version

-- :name prompt_failures
-- Failures of a round to try a prompt on; error types take turns. Those with a diagnosis first; the teachable ones alone, if wanted.
SELECT * EXCLUDE (turn) FROM (
    SELECT c.failure_id, c.diagnosis_id, c.dataset, c.image, c.question, c.choices, c.golds, c.answer, c.error_type, c.faulty_reasoning, c.key_elements,
           g.skill, c.own_answer, c.teachable, c.cluster_id, d.answer_form, d.metric, d.threshold, coalesce(y.current, t.error_type) AS peoples_type,
           row_number() OVER (PARTITION BY c.error_type ORDER BY hash(c.failure_id)) AS turn
    FROM failure_card c JOIN dataset d ON d.name = c.dataset LEFT JOIN current_triage t USING (failure_id)
    LEFT JOIN diagnosis g ON g.diagnosis_id = c.diagnosis_id
    LEFT JOIN error_type_alias y ON y.name = t.error_type
    WHERE ($failure_ids IS NOT NULL OR c.round = $round) AND ($failure_ids IS NULL OR c.failure_id IN (SELECT unnest($failure_ids::BIGINT[])))
      AND (NOT $teachable OR c.teachable))
ORDER BY error_type IS NULL, turn, error_type LIMIT $limit

-- :name prompt_samples
-- The latest drawn sample of each of these failures.
SELECT s.failure_id, t.sample_id, t.image, t.question, t.choices, t.answer, s.skill, coalesce(s.contrast, false) AS contrast
FROM sample_state t JOIN sample s USING (sample_id)
WHERE t.image IS NOT NULL AND s.failure_id IN (SELECT unnest($failure_ids::BIGINT[]))
QUALIFY row_number() OVER (PARTITION BY s.failure_id ORDER BY t.sample_id DESC) = 1

-- :name prompt_cluster
-- Members of a cluster for its title, those in the middle first, and its error type.
SELECT error_type, question, golds, answer, faulty_reasoning FROM failure_card
WHERE cluster_id = $cluster_id AND faulty_reasoning IS NOT NULL ORDER BY distance NULLS LAST, failure_id LIMIT $limit

-- :name comparison_jobs
-- Comparisons of versions of a prompt, latest first.
SELECT job_id, status::TEXT AS status, total, done, failed, created_at, options FROM job
WHERE stage = 'compare_prompts' AND json_extract_string(options, '$.prompt') = $prompt ORDER BY job_id DESC LIMIT $limit

-- :name comparison_rows
-- What a comparison has brought, with the failures it is about.
SELECT p.key, p.side, p.result, p.replies, c.failure_id, c.image, c.question, c.choices, c.golds, c.answer, c.error_type, c.dataset,
       coalesce(y.current, t.error_type) AS peoples_type
FROM prompt_comparison p JOIN failure_card c USING (failure_id) LEFT JOIN current_triage t USING (failure_id)
LEFT JOIN error_type_alias y ON y.name = t.error_type
WHERE p.job_id = $job_id ORDER BY p.failure_id, p.side

-- :name comparison_costs
-- What the replies behind each side of a comparison cost when they were bought, the same for both where both stand on them.
SELECT side, count(*) AS calls, sum(cost_usd) AS usd, count(*) FILTER (cost_usd IS NULL) AS unpriced,
       sum(prompt_tokens)::BIGINT AS prompt_tokens, sum(completion_tokens)::BIGINT AS completion_tokens
FROM (SELECT DISTINCT side, unnest(replies) AS key FROM prompt_comparison WHERE job_id = $job_id) JOIN reply USING (key) GROUP BY side

-- :name dropped_by_rule
-- How many proposals of a job were dropped, by rule.
SELECT rule, count(*) AS proposals FROM dropped_proposal WHERE job_id = $job_id GROUP BY rule ORDER BY proposals DESC, rule

-- :name dropped_proposals
-- Proposals of a job that were dropped, with the reason.
SELECT rule, reason, question, answer, failure_id FROM dropped_proposal WHERE job_id = $job_id ORDER BY rule, key, place LIMIT $limit
