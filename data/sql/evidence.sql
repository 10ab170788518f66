-- :name evidence_pairs
-- Every eval example that both checkpoints answered, with both answers and scores.
SELECT e.example_id, e.dataset, e.external_id, e.kind, e.image, e.question, e.choices, e.golds, d.metric, b.answer AS before_answer, a.answer AS after_answer,
       b.strict AS before_strict, a.strict AS after_strict, b.lenient AS before_lenient, a.lenient AS after_lenient
FROM prediction b JOIN prediction a USING (example_id) JOIN example e USING (example_id) JOIN dataset d ON d.name = e.dataset
WHERE b.checkpoint_id = $before AND a.checkpoint_id = $after AND e.split = 'eval' ORDER BY e.example_id

-- :name evidence_run
-- The run that made a checkpoint, with its job's options.
SELECT r.run_id, r.round, r.samples, r.replay, r.options, j.job_id, j.seconds FROM run r LEFT JOIN job j USING (job_id) WHERE r.checkpoint_id = $checkpoint_id

-- :name evidence_samples
-- What that run was trained on, as it was frozen.
SELECT s.sample_id, s.revision, coalesce(v.question, m.question) AS question, coalesce(v.choices, m.choices) AS choices, coalesce(v.answer, m.answer) AS answer,
       t.image, t.error_type, m.route::TEXT AS route, m.failure_id, t.decided_by
FROM run r JOIN run_sample s USING (run_id) JOIN sample m USING (sample_id) JOIN sample_state t USING (sample_id)
LEFT JOIN revision v ON v.sample_id = s.sample_id AND v.revision = s.revision
WHERE r.checkpoint_id = $checkpoint_id ORDER BY s.sample_id
