-- :name experiment_examples
-- Every train example, and how the checkpoint answered it: `known` may be replayed, `failed` scores below the dataset's threshold.
SELECT e.example_id, e.dataset, e.kind, e.image, e.question, e.choices, e.golds, d.prompt_suffix,
       coalesce(p.strict >= greatest(d.threshold, 0.9), false) AS known, coalesce(p.strict < d.threshold, false) AS failed,
       coalesce(f.label_error, false) AS label_error, coalesce(f.teachable, false) AS teachable, f.cluster_id AS cluster, f.error_type
FROM example e JOIN dataset d ON d.name = e.dataset
LEFT JOIN prediction p ON p.example_id = e.example_id AND p.checkpoint_id = $checkpoint_id
LEFT JOIN failure_state f ON f.prediction_id = p.prediction_id
WHERE e.split = 'train' ORDER BY e.example_id

-- :name experiment_samples
-- Every drawn sample of these rounds, with the cluster of the failure that it was made from. Round 0 holds samples that were made without a
-- failure: of them $mask are the filters that count.
SELECT t.sample_id, t.revision, t.dataset, t.error_type, t.route::TEXT AS route, t.image, t.question, t.choices, t.answer, d.prompt_suffix,
       t.round = 0 AS control, t.status IN ('approved', 'auto_approved') AS approved,
       CASE WHEN t.round = 0 THEN t.judged & $mask::UBIGINT = $mask::UBIGINT AND t.failed & $mask::UBIGINT = 0
            ELSE t.status IN ('approved', 'auto_approved', 'pending') END AS passed, f.cluster_id AS cluster
FROM sample_state t JOIN dataset d ON d.name = t.dataset JOIN sample s USING (sample_id) LEFT JOIN failure_state f ON f.failure_id = s.failure_id
WHERE t.image IS NOT NULL AND t.route <> 'by_hand' AND t.round <= $round ORDER BY t.sample_id

-- :name experiment_eval
-- The eval examples of the chosen datasets, as a checkpoint is asked and scored.
SELECT e.example_id, e.image, e.question, e.choices, e.golds, d.metric, d.prompt_suffix, e.dataset, e.split::TEXT AS split
FROM example e JOIN dataset d ON d.name = e.dataset
WHERE e.split = 'eval' AND ($datasets IS NULL OR list_contains($datasets::TEXT[], e.dataset)) ORDER BY hash(e.example_id) LIMIT $limit

-- :name experiments
-- All experiments, latest first, with how far their job is.
SELECT x.*, c.name AS checkpoint, j.status::TEXT AS status, j.author, j.seconds, j.done, j.failed, j.total
FROM experiment x JOIN job j USING (job_id) JOIN checkpoint c USING (checkpoint_id) ORDER BY x.job_id DESC

-- :name experiment
-- One experiment.
SELECT * FROM experiment WHERE job_id = $job_id

-- :name experiment_runs
-- The runs of an experiment that are done.
SELECT * FROM experiment_run WHERE job_id = $job_id ORDER BY arm, seed

-- :name experiment_failed_runs
-- The runs of an experiment that failed, and why.
SELECT key, error FROM row_error WHERE job_id = $job_id ORDER BY key

-- :name experiment_answers_forget
-- Takes the answers and rows of a run away before they are written (again).
DELETE FROM experiment_answer WHERE job_id = $job_id AND arm = $arm AND seed = $seed

-- :name experiment_rows_forget
-- As above, of what it was trained on.
DELETE FROM experiment_row WHERE job_id = $job_id AND arm = $arm AND seed = $seed

-- :name experiment_scores
-- How each run scored on each eval example that it could be asked.
SELECT a.arm, a.seed, a.example_id, CASE $score WHEN 'lenient' THEN a.lenient ELSE a.strict END AS score
FROM experiment_answer a WHERE a.job_id = $job_id AND a.error IS NULL ORDER BY a.arm, a.seed, a.example_id

-- :name experiment_items
-- What is known of the eval examples of an experiment.
SELECT e.example_id, e.dataset, e.image, coalesce(e.kind, k.name) AS kind, k.error_type AS tagged, e.golds
FROM example e LEFT JOIN kind k USING (example_id)
WHERE e.example_id IN (SELECT DISTINCT example_id FROM experiment_answer WHERE job_id = $job_id) ORDER BY e.example_id

-- :name experiment_unanswered
-- How many eval examples each run could not be asked.
SELECT arm, seed, count(*) AS examples, min(error) AS error FROM experiment_answer
WHERE job_id = $job_id AND error IS NOT NULL GROUP BY ALL ORDER BY ALL

-- :name experiment_speed
-- Seconds that a step and an eval answer took on one process in the latest experiments of a checkpoint.
SELECT sum(train_seconds) / nullif(sum(steps) FILTER (train_seconds > 0), 0) AS step, sum(eval_seconds) / nullif(sum(asked), 0) AS answer
FROM (SELECT r.*, x.plan->>'eval' AS asked_text, CAST(x.plan->>'eval' AS BIGINT) AS asked FROM experiment_run r JOIN experiment x USING (job_id)
      WHERE x.checkpoint_id = $checkpoint_id ORDER BY r.created_at DESC LIMIT 30)

-- :name examples_to_write_after
-- Train examples in the data's own mix, whatever any checkpoint answered: in random order, those that have samples already last.
SELECT e.example_id, e.image, e.question, e.choices, e.golds, e.kind, k.error_type AS tagged, e.dataset, d.answer_form, d.metric,
       coalesce(s.questions, []) AS avoid
FROM example e JOIN dataset d ON d.name = e.dataset LEFT JOIN kind k USING (example_id)
LEFT JOIN (SELECT example_id, list(DISTINCT question ORDER BY question) AS questions FROM sample WHERE example_id IS NOT NULL GROUP BY 1) s USING (example_id)
WHERE e.split = 'train' AND ($datasets IS NULL OR list_contains($datasets::TEXT[], e.dataset))
ORDER BY len(coalesce(s.questions, [])) > 0, mixed(mixed(e.example_id) + $seed::UBIGINT) LIMIT $limit

-- :name experiment_yield
-- How many samples were asked for, with or ($control) without a failure, and how many passed their filters: $mask are those of the latter.
SELECT count(*) AS asked, count(*) FILTER (CASE WHEN $control THEN t.image IS NOT NULL AND t.judged & $mask::UBIGINT = $mask::UBIGINT AND t.failed & $mask::UBIGINT = 0
                                                ELSE t.status IN ('approved', 'auto_approved', 'pending') END) AS passed
FROM sample_state t WHERE (t.round = 0) = $control AND t.route <> 'by_hand' AND t.status NOT IN ('undrawn')

-- :name experiment_yield_by_cluster
-- Of how many failures of each cluster samples were made, and how many of these passed every filter and nobody rejected.
SELECT f.cluster_id, f.error_type, count(DISTINCT f.failure_id) AS failures,
       count(*) FILTER (t.status IN ('approved', 'auto_approved', 'pending') AND t.image IS NOT NULL) AS passed
FROM sample_state t JOIN sample s USING (sample_id) JOIN failure_state f ON f.failure_id = s.failure_id
WHERE t.round > 0 AND t.route <> 'by_hand' GROUP BY ALL ORDER BY ALL

-- :name experiment_yield_by_route
-- Of how many failures samples were made by whatever route, and how many by this one passed every filter and nobody rejected. A failure whose
-- picture gives no other question has none by that route, and counts.
SELECT count(DISTINCT s.failure_id) AS failures,
       count(*) FILTER (t.route = $route AND t.image IS NOT NULL AND t.status IN ('approved', 'auto_approved', 'pending')) AS passed
FROM sample_state t JOIN sample s USING (sample_id) WHERE t.round > 0 AND t.route <> 'by_hand'
