-- :name eval_scores
-- A checkpoint's scores on the eval splits.
SELECT e.example_id, e.dataset, e.image, e.kind, k.error_type AS tagged, p.strict AS score_before
FROM prediction p JOIN example e USING (example_id) LEFT JOIN kind k USING (example_id)
WHERE p.checkpoint_id = $checkpoint_id AND e.split = 'eval' ORDER BY e.example_id

-- :name eval_pairs
-- The scores of two checkpoints on the eval examples that both have answered; $score is strict or lenient.
SELECT e.example_id, e.dataset, e.image, e.kind, k.error_type AS tagged,
       CASE $score WHEN 'lenient' THEN b.lenient ELSE b.strict END AS score_before,
       CASE $score WHEN 'lenient' THEN a.lenient ELSE a.strict END AS score_after
FROM prediction b JOIN prediction a USING (example_id) JOIN example e USING (example_id) LEFT JOIN kind k USING (example_id)
WHERE b.checkpoint_id = $before AND a.checkpoint_id = $after AND e.split = 'eval' ORDER BY e.example_id

-- :name changed_examples
-- What a fixed or broken example looks like: the picture, the question and both answers.
SELECT e.example_id, e.dataset, e.image, e.question, e.choices, e.golds, b.answer AS answer_before, a.answer AS answer_after
FROM example e JOIN prediction b ON b.example_id = e.example_id AND b.checkpoint_id = $before
JOIN prediction a ON a.example_id = e.example_id AND a.checkpoint_id = $after WHERE list_contains($ids::BIGINT[], e.example_id)

-- :name samples_behind_error_type
-- The samples of a run that practised an error type: what a fixed example may have been fixed by.
SELECT s.sample_id, t.revision, t.question, t.answer, t.image, t.route::TEXT AS route, t.decided_by
FROM run r JOIN run_sample s USING (run_id) JOIN sample_state t USING (sample_id)
WHERE r.checkpoint_id = $checkpoint_id AND ($error_type IS NULL OR t.error_type = $error_type) ORDER BY hash(s.sample_id) LIMIT $limit

-- :name loop_counts
-- How far the loop has come from a checkpoint: examples that it answered, failures, diagnoses, samples.
SELECT (SELECT count(*) FROM prediction p JOIN example e USING (example_id) WHERE p.checkpoint_id = $checkpoint_id AND e.split = 'train') AS train,
       (SELECT count(*) FROM prediction p JOIN example e USING (example_id) WHERE p.checkpoint_id = $checkpoint_id AND e.split = 'eval') AS eval,
       count(*) AS failures, count(*) FILTER (c.diagnosis_id IS NOT NULL) AS diagnosed,
       (SELECT count(DISTINCT cluster_id) FROM place l JOIN failure f USING (failure_id) WHERE f.checkpoint_id = $checkpoint_id) AS clusters,
       (SELECT count(*) FROM sample_state) AS samples,
       (SELECT count(*) FROM sample_state t, (SELECT bit_or(1::UBIGINT << bit) AS mask FROM current_filter WHERE enabled) m
        WHERE t.image IS NOT NULL AND t.judged = m.mask AND t.failed = 0) AS passed,
       (SELECT count(*) FROM sample_state WHERE status IN ('approved', 'auto_approved')) AS approved
FROM failure_card c WHERE c.checkpoint_id = $checkpoint_id

-- :name seconds_by_stage
-- How long the jobs of each stage ran, in seconds.
SELECT stage, round(sum(seconds), 1) AS seconds FROM job WHERE seconds IS NOT NULL GROUP BY stage ORDER BY min(job_id)
