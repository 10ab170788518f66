-- :name eval_examples
-- Every eval example with what results are grouped by; `cluster` is the title of its cluster in a round, '' where it is in none.
SELECT e.example_id, e.dataset, e.image, coalesce(e.kind, '') AS kind, coalesce(k.error_type, '') AS tagged, coalesce(k.name, '') AS named, coalesce(c.title, '') AS cluster,
       {opening_of_question} AS opening
FROM example e LEFT JOIN kind k USING (example_id) LEFT JOIN assignment a ON a.example_id = e.example_id AND a.round = $round
LEFT JOIN cluster c ON c.cluster_id = a.cluster_id
WHERE e.split = 'eval' ORDER BY e.example_id

-- :name eval_golds
-- The gold answers of every eval example, in the order of eval_examples.
SELECT golds FROM example WHERE split = 'eval' ORDER BY example_id

-- :name results_mark
-- What changes when eval examples, their kinds or their clusters of a round do.
SELECT hash((SELECT (count(*), bit_xor(hash(example_id, dataset, image, kind, question, golds))) FROM example WHERE split = 'eval'),
            (SELECT (count(*), bit_xor(hash(example_id, error_type, name))) FROM kind),
            (SELECT (count(*), bit_xor(hash(a.example_id, c.title))) FROM assignment a JOIN cluster c USING (cluster_id) WHERE a.round = $round))::TEXT

-- :name eval_scores
-- A checkpoint's scores on the eval splits; $score is strict or lenient.
SELECT p.example_id, CASE $score WHEN 'lenient' THEN p.lenient ELSE p.strict END AS score
FROM prediction p JOIN example e USING (example_id) WHERE p.checkpoint_id = $checkpoint_id AND e.split = 'eval' ORDER BY p.example_id

-- :name eval_prediction_mark
-- What changes when a checkpoint's predictions do.
SELECT hash(count(*), bit_xor(hash(example_id, strict, lenient)))::TEXT FROM prediction WHERE checkpoint_id = $checkpoint_id

-- :name round_of_pair
-- The round that a checkpoint was trained in; for others the latest that the one before it began, else the latest; 0 before the first.
SELECT coalesce((SELECT max(round) FROM run WHERE checkpoint_id = $after), (SELECT max(round) FROM round WHERE checkpoint_id = $before),
                (SELECT max(round) FROM round), 0)::INTEGER

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
       (SELECT count(*) FROM sample_state t WHERE {sample_of_loop}) AS samples,
       (SELECT count(*) FROM sample_state t, (SELECT bit_or(1::UBIGINT << bit) AS mask FROM current_filter WHERE enabled) m
        WHERE t.image IS NOT NULL AND t.judged = m.mask AND t.failed = 0 AND {sample_of_loop}) AS passed,
       (SELECT count(*) FROM sample_state WHERE status IN ('approved', 'auto_approved')) AS approved
FROM failure_card c WHERE c.checkpoint_id = $checkpoint_id

-- :name seconds_by_stage
-- How long the jobs of each stage ran, in seconds.
SELECT stage, round(sum(seconds), 1) AS seconds FROM job WHERE seconds IS NOT NULL GROUP BY stage ORDER BY min(job_id)

-- :name latest_compared_pair
-- The latest checkpoint with answers on eval whose parent has some too, by name.
WITH asked AS (SELECT DISTINCT p.checkpoint_id FROM prediction p JOIN example e USING (example_id) WHERE e.split = 'eval')
SELECT b.name AS before, a.name AS after FROM checkpoint a JOIN checkpoint b ON b.checkpoint_id = a.parent
WHERE a.checkpoint_id IN (FROM asked) AND b.checkpoint_id IN (FROM asked) ORDER BY a.checkpoint_id DESC LIMIT 1

-- :name split_counts
-- What a split of the next budget looks at, by error type: teachable failures of the latest diagnosed round, samples approved in $round, and the
-- share of train examples that is solved, by $checkpoint_id if it has answered them, else by the checkpoint that the round began from.
WITH latest AS (SELECT coalesce(max(round), $round) AS round FROM failure_state WHERE diagnosis_id IS NOT NULL AND round >= $round),
asked AS (
    SELECT CASE WHEN EXISTS (FROM prediction p JOIN example e USING (example_id) WHERE p.checkpoint_id = $checkpoint_id AND e.split = 'train')
                THEN $checkpoint_id::BIGINT ELSE (SELECT checkpoint_id FROM round WHERE round = $round) END AS checkpoint_id),
failing AS (SELECT error_type, count(*) FILTER (teachable) AS teachable FROM failure_state WHERE round = (SELECT round FROM latest) GROUP BY 1),
made AS (SELECT error_type, count(*) FILTER (status IN ('approved', 'auto_approved')) AS approved FROM sample_state WHERE round = $round GROUP BY 1),
answered AS (
    SELECT a.error_type, avg((p.strict >= d.threshold)::INTEGER)::DOUBLE AS solved
    FROM prediction p JOIN asked USING (checkpoint_id) JOIN example e USING (example_id) JOIN dataset d ON d.name = e.dataset
    JOIN assignment a ON a.example_id = e.example_id AND a.round = $round WHERE e.split = 'train' GROUP BY 1)
SELECT error_type, coalesce(f.teachable, 0) AS teachable, coalesce(m.approved, 0) AS approved, s.solved
FROM failing f FULL JOIN made m USING (error_type) FULL JOIN answered s USING (error_type) WHERE error_type IS NOT NULL ORDER BY error_type

-- :name budget_split_latest
-- The split that was accepted last; its quotas are {} where it was cleared.
SELECT split_id, round, before, after, quotas, recommended, author, created_at FROM budget_split ORDER BY split_id DESC LIMIT 1

-- :name release_verdicts
-- The release gate's verdicts, latest first.
SELECT verdict_id, before, after, score, examples, rule, passed, not_shown, author, created_at FROM release_verdict ORDER BY verdict_id DESC LIMIT $limit

-- :name pair_to_trace
-- The checkpoint whose nearest training samples are asked for (the newest that a run made, if none is named), and the one it is compared with.
SELECT a.checkpoint_id AS after, a.name, coalesce((SELECT checkpoint_id FROM checkpoint WHERE name = $before), a.parent) AS before
FROM checkpoint a WHERE CASE WHEN $checkpoint::TEXT IS NULL THEN a.checkpoint_id IN (SELECT checkpoint_id FROM run) ELSE a.name = $checkpoint END
ORDER BY a.checkpoint_id DESC LIMIT 1

-- :name run_samples_to_embed
-- What a checkpoint was trained on, as it was frozen: `text` is question and answer.
SELECT s.sample_id, s.revision, coalesce(v.question, m.question) || ' ' || coalesce(v.answer, m.answer) AS text, t.image
FROM run r JOIN run_sample s USING (run_id) JOIN sample m USING (sample_id) JOIN sample_state t USING (sample_id)
LEFT JOIN revision v ON v.sample_id = s.sample_id AND v.revision = s.revision
WHERE r.checkpoint_id = $checkpoint_id AND t.image IS NOT NULL ORDER BY s.sample_id

-- :name turned_examples
-- Eval examples that are right by one checkpoint and wrong by the other; `text` is question and first gold answer.
SELECT e.example_id, e.question || ' ' || coalesce(e.golds[1], '') AS text, e.image
FROM prediction b JOIN prediction a USING (example_id) JOIN example e USING (example_id)
WHERE b.checkpoint_id = $before AND a.checkpoint_id = $after AND e.split = 'eval'
  AND ((b.strict >= $right) <> (a.strict >= $right) OR (b.lenient >= $right) <> (a.lenient >= $right)) ORDER BY e.example_id

-- :name nearest_counts
-- How many examples turned, and how many samples they would be held against.
SELECT (SELECT count(*) FROM ({turned_examples})) AS examples, (SELECT count(*) FROM run r JOIN run_sample USING (run_id) WHERE r.checkpoint_id = $after) AS samples

-- :name nearest_forget
-- Takes the nearest samples of a checkpoint's examples away before new ones are written.
DELETE FROM nearest_sample WHERE checkpoint_id = $checkpoint_id

-- :name nearest_done
-- Of how many examples the nearest training samples of a checkpoint are known; NULL where nobody has asked.
SELECT nullif(count(DISTINCT example_id), 0) FROM nearest_sample WHERE checkpoint_id = $checkpoint_id

-- :name nearest_of_examples
-- The training samples nearest to examples, with the failure that each was made for, its diagnosis, and who approved it.
SELECT n.example_id, n.place, n.text, n.image AS image_likeness, n.score, n.sample_id, n.revision,
       coalesce(v.question, m.question) AS question, coalesce(v.answer, m.answer) AS answer, t.image, t.error_type, m.route::TEXT AS route,
       t.decided_by, t.status::TEXT AS status, m.failure_id, d.faulty_reasoning, d.description, f.question AS failed_question, f.answer AS failed_answer
FROM nearest_sample n JOIN sample m USING (sample_id) JOIN sample_state t USING (sample_id)
LEFT JOIN revision v ON v.sample_id = n.sample_id AND v.revision = n.revision
LEFT JOIN diagnosis d ON d.diagnosis_id = m.diagnosis_id LEFT JOIN failure_state f ON f.failure_id = m.failure_id
WHERE n.checkpoint_id = $checkpoint_id AND n.example_id IN (SELECT unnest($example_ids::BIGINT[])) ORDER BY n.example_id, n.place
