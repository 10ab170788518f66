-- :name current_round
-- The number of the latest round.
SELECT max(round) FROM round

-- :name checkpoint_of_round
-- The checkpoint that the latest round started from.
SELECT {checkpoint_columns} FROM round r JOIN checkpoint c USING (checkpoint_id) ORDER BY r.round DESC LIMIT 1

-- :name rounds
-- All rounds, oldest first.
SELECT r.round, r.created_at, c.checkpoint_id, c.name AS checkpoint FROM round r JOIN checkpoint c USING (checkpoint_id) ORDER BY r.round

-- :name checkpoint_by_name
-- One checkpoint.
SELECT {checkpoint_columns} FROM checkpoint c WHERE c.name = $name

-- :name checkpoint_columns
-- What a checkpoint is made from. A fragment over checkpoint c.
c.checkpoint_id, c.name, c.baseline, c.model, c.adapter, c.options

-- :name checkpoint_use
-- What needs a checkpoint: rounds, checkpoints trained from it, the run that made it, experiments; and its predictions.
SELECT (SELECT count(*) FROM round WHERE checkpoint_id = $checkpoint_id) AS rounds,
       (SELECT count(*) FROM checkpoint WHERE parent = $checkpoint_id) AS children,
       (SELECT min(run_id) FROM run WHERE checkpoint_id = $checkpoint_id) AS run_id,
       (SELECT count(*) FROM experiment WHERE checkpoint_id = $checkpoint_id) AS experiments,
       (SELECT count(*) FROM prediction WHERE checkpoint_id = $checkpoint_id) AS predictions

-- :name checkpoint_forget_nearest
-- Takes away the nearest samples that were found for a checkpoint.
DELETE FROM nearest_sample WHERE checkpoint_id = $checkpoint_id

-- :name checkpoint_forget_predictions
-- Takes away a checkpoint's predictions; no round has failures of them.
DELETE FROM prediction WHERE checkpoint_id = $checkpoint_id

-- :name checkpoint_forget
-- Takes a checkpoint away; nothing needs it.
DELETE FROM checkpoint WHERE checkpoint_id = $checkpoint_id

-- :name checkpoints
-- All checkpoints with what has been measured of them.
SELECT c.*, (SELECT count(*) FROM prediction p WHERE p.checkpoint_id = c.checkpoint_id) AS predictions
FROM checkpoint c ORDER BY c.checkpoint_id

-- :name datasets
-- All datasets with their counts a split.
SELECT d.*, count(e.example_id) FILTER (e.split = 'train') AS train, count(e.example_id) FILTER (e.split = 'dev') AS dev,
       count(e.example_id) FILTER (e.split = 'eval') AS eval
FROM dataset d ANTI JOIN removed_dataset r ON r.dataset = d.name LEFT JOIN example e ON e.dataset = d.name GROUP BY ALL ORDER BY min(d.rowid)

-- :name examples_to_evaluate
-- Examples of the chosen datasets and splits that a checkpoint has not answered yet.
SELECT e.example_id, e.image, e.question, e.choices, e.golds, d.metric, d.prompt_suffix, e.dataset, e.split::TEXT AS split
FROM example e JOIN dataset d ON d.name = e.dataset
WHERE ($datasets IS NULL OR list_contains($datasets::TEXT[], e.dataset)) AND list_contains($splits::TEXT[], e.split::TEXT)
  AND NOT EXISTS (FROM prediction p WHERE p.checkpoint_id = $checkpoint_id AND p.example_id = e.example_id)
ORDER BY e.split = 'train' DESC, hash(e.example_id) LIMIT $limit

-- :name failures_from_predictions
-- Makes failures of the predictions that score below the threshold, on the train split, where a round starts from their checkpoint.
INSERT INTO failure (prediction_id, checkpoint_id, example_id, round)
SELECT p.prediction_id, p.checkpoint_id, p.example_id, r.round
FROM prediction p JOIN round r USING (checkpoint_id) JOIN example e USING (example_id) JOIN dataset d ON d.name = e.dataset
WHERE e.split = 'train' AND p.strict < d.threshold AND p.checkpoint_id = $checkpoint_id
  AND ($example_ids IS NULL OR list_contains($example_ids::BIGINT[], p.example_id))
ON CONFLICT DO NOTHING RETURNING failure_id

-- :name failures_to_diagnose
-- Failures of a round without a diagnosis (or the named ones, diagnosed or not), of those in the bitmap $selected.
SELECT f.failure_id, e.image, e.question, e.choices, e.golds, p.answer, d.metric, d.threshold, d.answer_form, e.dataset, {named_kind} AS named
FROM failure f JOIN prediction p USING (prediction_id) JOIN example e ON e.example_id = f.example_id JOIN dataset d ON d.name = e.dataset
LEFT JOIN kind k ON k.example_id = f.example_id
WHERE f.round = $round AND ($failure_ids IS NULL OR f.failure_id IN (SELECT unnest($failure_ids::BIGINT[])))
  AND ($selected IS NULL OR get_bit($selected::BLOB::BIT, least(f.failure_id, bit_length($selected::BLOB::BIT) - 1)::INTEGER) = 1)
  AND ($again OR NOT EXISTS (FROM diagnosis g WHERE g.failure_id = f.failure_id))
ORDER BY hash(f.failure_id) LIMIT $limit

-- :name failures_to_cluster
-- Diagnosed failures of a round.
SELECT c.failure_id, c.example_id, c.image, c.question, c.golds, c.answer, c.error_type, c.faulty_reasoning, c.dataset, {named_kind} AS named
FROM failure_card c JOIN example e USING (example_id) LEFT JOIN kind k USING (example_id)
WHERE c.round = $round AND c.error_type IS NOT NULL ORDER BY c.failure_id

-- :name named_kind
-- The kind that a frontier model named for an example e whose dataset states none (table kind k). A fragment.
CASE WHEN e.kind IS NULL THEN k.name END

-- :name examples_to_assign
-- Every example with the error type that its kind belongs to, as far as is known.
SELECT e.example_id, e.image, e.question, e.kind, k.error_type, {named_kind} AS named
FROM example e LEFT JOIN kind k USING (example_id) ORDER BY e.example_id

-- :name kind_error_types
-- The error type that most diagnoses of failures of a kind have.
SELECT kind, mode(error_type) AS error_type FROM failure_card WHERE kind IS NOT NULL AND error_type IS NOT NULL GROUP BY kind

-- :name places_clear
-- Takes the map of a round away before the new one is written.
DELETE FROM place WHERE failure_id IN (SELECT failure_id FROM failure WHERE round = $round)

-- :name assignments_clear
-- Takes the assignment of examples to clusters of a round away before the new one is written.
DELETE FROM assignment WHERE round = $round

-- :name practisable
-- Teachable failures c of a round, of the chosen failures (by number, or in the bitmap $selected) or clusters. A fragment.
c.round = $round AND c.teachable AND ($failure_ids IS NULL OR c.failure_id IN (SELECT unnest($failure_ids::BIGINT[])))
AND ($selected IS NULL OR get_bit($selected::BLOB::BIT, least(c.failure_id, bit_length($selected::BLOB::BIT) - 1)::INTEGER) = 1)
AND ($cluster_ids IS NULL OR list_contains($cluster_ids::BIGINT[], c.cluster_id))

-- :name failures_by_group
-- What quotas are worked out from: the cluster, error type, dataset and skill of each failure that may be practised.
SELECT c.failure_id, c.cluster_id, c.error_type, c.dataset, coalesce(g.skill, '') AS skill, hash(c.failure_id) AS chance
FROM failure_state c LEFT JOIN diagnosis g ON g.diagnosis_id = c.diagnosis_id WHERE {practisable} ORDER BY c.error_type, c.cluster_id, c.failure_id

-- :name failures_per_cluster
-- How many failures of each cluster (error type where there is none) may be practised, most first.
SELECT c.cluster_id, c.error_type, count(*) AS failures FROM failure_state c WHERE {practisable} GROUP BY ALL ORDER BY failures DESC, c.error_type, c.cluster_id

-- :name failures_to_practise
-- The failures of a round that may be practised, with what their diagnosis says; error types take turns.
SELECT * EXCLUDE (turn) FROM (
    SELECT c.failure_id, c.diagnosis_id, c.image, c.question, c.choices, c.golds, c.answer, c.error_type, g.skill, c.faulty_reasoning, c.key_elements,
           c.dataset, d.answer_form, d.metric, {named_kind} AS named, row_number() OVER (PARTITION BY c.error_type ORDER BY hash(c.failure_id)) AS turn
    FROM failure_card c JOIN dataset d ON d.name = c.dataset LEFT JOIN diagnosis g ON g.diagnosis_id = c.diagnosis_id
    JOIN example e ON e.example_id = c.example_id LEFT JOIN kind k ON k.example_id = c.example_id
    WHERE {practisable})
ORDER BY turn, error_type LIMIT $limit

-- :name questions_of_failures
-- What has been proposed for failures already.
SELECT failure_id, list(DISTINCT question) AS questions FROM sample WHERE failure_id IN (SELECT unnest($failure_ids::BIGINT[])) GROUP BY failure_id

-- :name samples_to_draw
-- Samples that wait for their picture (or the named ones, drawn or not).
SELECT s.sample_id, s.image_prompt, s.picture_spec, s.seed FROM sample s JOIN sample_state t USING (sample_id)
WHERE (s.image_prompt IS NOT NULL OR s.picture_spec IS NOT NULL) AND ($sample_ids IS NULL AND t.image IS NULL AND {sample_of_loop} OR list_contains($sample_ids::BIGINT[], s.sample_id))
ORDER BY s.sample_id LIMIT $limit

-- :name pairs_to_filter
-- Pairs of a drawn sample t and a filter f whose verdict on the current revision and picture is missing, has failed, or is of another version
-- (unless $outdated is false: then any version will do). A fragment.
sample_state t CROSS JOIN (SELECT unnest($filters::TEXT[]) AS filter, unnest($versions::INTEGER[]) AS version) f
WHERE t.image IS NOT NULL AND ($sample_ids IS NULL OR t.sample_id IN (SELECT unnest($sample_ids::BIGINT[])))
  AND ($sample_ids IS NOT NULL OR {sample_of_loop})
  AND NOT EXISTS (FROM verdict v WHERE v.sample_id = t.sample_id AND v.revision = t.revision AND v.filter = f.filter
                  AND (v.version = f.version OR NOT $outdated) AND v.score IS NOT NULL AND v.verdict_id > t.drawn_verdict)

-- :name samples_to_filter
-- What the filters are to judge, with what they need to know; samples of one picture one behind the other.
SELECT p.*, d.answer_form, d.metric, d.threshold, d.prompt_suffix, i.phash, {practised_columns}
FROM (SELECT t.sample_id, f.filter, f.version, t.revision, t.question, t.choices, t.answer, t.image, t.dataset FROM {pairs_to_filter}) p
JOIN dataset d ON d.name = p.dataset LEFT JOIN image i ON i.image = p.image
JOIN sample s ON s.sample_id = p.sample_id LEFT JOIN diagnosis g ON g.diagnosis_id = s.diagnosis_id
ORDER BY p.filter, p.image, p.sample_id

-- :name practised_columns
-- What a sample s says it practises, what its failure's diagnosis g says failed, and the data of a rendered picture. A fragment.
coalesce(s.skill, '') AS skill, coalesce(g.skill, '') AS failed_skill, coalesce(s.contrast, false) AS contrast,
s.picture_spec, s.answer_from

-- :name diagnosed_skills
-- The skills that diagnoses name, the most frequent first, with the error type that most of them have.
SELECT skill, mode(error_type) AS error_type FROM diagnosis WHERE skill IS NOT NULL GROUP BY skill ORDER BY count(*) DESC, skill LIMIT $limit

-- :name samples_to_filter_count
-- How many samples each filter is to judge: those without a verdict of its present version, `unjudged` those without any; `probe` is $most of them, from everywhere.
-- The same pairs as above, counted by a pass over the verdicts instead of a join for each filter.
WITH asked AS (
    SELECT unnest($filters::TEXT[]) AS filter, unnest($versions::INTEGER[]) AS version, unnest(range(len($filters::TEXT[]))) AS bit),
drawn AS (
    SELECT sample_id, revision, drawn_verdict FROM sample_state t
    WHERE image IS NOT NULL AND ($sample_ids IS NULL OR sample_id IN (SELECT unnest($sample_ids::BIGINT[])))
      AND ($sample_ids IS NOT NULL OR {sample_of_loop})),
judged AS (
    SELECT v.sample_id, bit_or(1::BIGINT << f.bit) AS ever, bit_or(CASE WHEN v.version = f.version THEN 1::BIGINT << f.bit ELSE 0 END) AS now
    FROM verdict v JOIN asked f USING (filter) JOIN drawn t ON t.sample_id = v.sample_id AND t.revision = v.revision
    WHERE v.score IS NOT NULL AND v.verdict_id > t.drawn_verdict GROUP BY v.sample_id),
pairs AS (
    SELECT f.filter, t.sample_id, (coalesce(j.ever, 0) >> f.bit) & 1 = 0 AS unjudged
    FROM drawn t LEFT JOIN judged j USING (sample_id) CROSS JOIN asked f WHERE (coalesce(j.now, 0) >> f.bit) & 1 = 0)
SELECT filter, count(*) AS samples, count(*) FILTER (unjudged) AS unjudged,
       coalesce(arg_min(sample_id, hash(sample_id), $most::BIGINT) FILTER (unjudged OR $outdated), []) AS probe
FROM pairs GROUP BY filter

-- :name filter_inputs
-- Some samples as filters are given them.
SELECT t.sample_id, t.revision, t.question, t.choices, t.answer, t.image, t.dataset, d.answer_form, d.metric, d.threshold, d.prompt_suffix,
       {practised_columns}
FROM sample_state t JOIN dataset d ON d.name = t.dataset JOIN sample s USING (sample_id) LEFT JOIN diagnosis g ON g.diagnosis_id = s.diagnosis_id
WHERE t.sample_id IN (SELECT unnest($sample_ids::BIGINT[]))

-- :name samples_as_context
-- All drawn samples of the loop, or ($control) all that were made without a failure, for the duplicate filter.
SELECT t.sample_id, t.image, i.phash, t.question, t.answer FROM sample_state t JOIN image i USING (image)
WHERE ({sample_of_loop}) <> coalesce($control, false) ORDER BY t.sample_id

-- :name control_samples
-- Those of some samples that were made without a failure, for an experiment.
SELECT sample_id FROM sample_state t WHERE NOT ({sample_of_loop}) AND sample_id IN (SELECT unnest($sample_ids::BIGINT[]))

-- :name eval_as_context
-- All examples of the eval splits, for the leakage filter.
SELECT e.example_id, e.image, i.phash, e.question, e.golds FROM example e JOIN image i USING (image) WHERE e.split = 'eval' ORDER BY e.example_id

-- :name eval_mark
-- A text that changes with the eval splits: their examples are only ever added or taken away whole.
SELECT count(*) || ':' || coalesce(max(example_id), 0) AS mark FROM example WHERE split = 'eval'

-- :name samples_to_train
-- Approved samples of this and earlier rounds.
SELECT t.sample_id, t.round, t.revision, t.question, t.choices, t.answer, t.image, t.error_type, t.route, d.prompt_suffix, t.dataset, t.status
FROM sample_state t JOIN dataset d ON d.name = t.dataset
WHERE t.status IN ('approved', 'auto_approved') AND t.image IS NOT NULL AND t.round <= $round AND {sample_of_loop} ORDER BY t.sample_id

-- :name examples_answered_right
-- Train examples that the checkpoint answers right: what replay may be drawn from. Failures' golds are never trained on.
SELECT e.example_id, e.image, e.question, e.choices, e.golds, d.prompt_suffix, e.dataset, coalesce(e.kind, k.name) AS kind
FROM prediction p JOIN example e USING (example_id) JOIN dataset d ON d.name = e.dataset LEFT JOIN kind k ON k.example_id = e.example_id
WHERE p.checkpoint_id = $checkpoint_id AND e.split = 'train' AND p.strict >= greatest(d.threshold, 0.9) ORDER BY hash(e.example_id)

-- :name dev_examples
-- Examples of the dev splits, for the held-out loss.
SELECT e.example_id, e.image, e.question, e.choices, e.golds, d.prompt_suffix FROM example e JOIN dataset d ON d.name = e.dataset
WHERE e.split = 'dev' ORDER BY hash(e.example_id) LIMIT $limit

-- :name filters
-- The setting of each filter that stands.
SELECT * FROM current_filter ORDER BY bit

-- :name samples_to_export
-- Samples of these statuses as they are exported, each with where it comes from. Prompts are what the jobs that diagnosed and proposed it pinned.
WITH judged AS (
    SELECT v.sample_id, list({'filter': v.filter, 'version': v.version, 'score': v.score, 'comparison': f.comparison::TEXT, 'threshold': f.threshold,
           'passed': CASE f.comparison::TEXT WHEN 'at_least' THEN v.score >= f.threshold ELSE v.score <= f.threshold END} ORDER BY f.bit) AS filters
    FROM current_verdict v JOIN current_filter f USING (filter) WHERE f.enabled GROUP BY ALL),
drawn AS (SELECT sample_id, arg_max(generator, drawing_id) AS generator FROM drawing GROUP BY ALL)
SELECT t.sample_id, t.question, t.answer, t.choices, t.image, t.dataset, t.error_type, t.route::TEXT AS route, t.revision, d.prompt_suffix,
       s.skill, coalesce(s.contrast, false) AS contrast, s.picture_spec, s.answer_from, t.round, t.status::TEXT AS status, t.decided_by AS reviewer,
       c.title AS cluster, s.frontier AS proposed_by, g.frontier AS diagnosed_by, w.generator AS drawn_by,
       json_merge_patch(coalesce(k.options->'prompts', '{}'), coalesce(j.options->'prompts', '{}')) AS prompts, coalesce(f.filters, []) AS filters,
       d.licence AS dataset_licence
FROM sample_state t JOIN sample s USING (sample_id) JOIN dataset d ON d.name = t.dataset
LEFT JOIN place p ON p.failure_id = t.failure_id LEFT JOIN cluster c USING (cluster_id) LEFT JOIN diagnosis g USING (diagnosis_id)
LEFT JOIN job j ON j.job_id = s.job_id LEFT JOIN job k ON k.job_id = g.job_id
LEFT JOIN drawn w ON w.sample_id = t.sample_id LEFT JOIN judged f ON f.sample_id = t.sample_id
WHERE list_contains($statuses, t.status::TEXT) AND t.image IS NOT NULL AND {sample_of_loop} ORDER BY t.sample_id

-- :name samples_to_export_count
-- How many samples of these statuses have a picture.
SELECT count(*) FROM sample_state t WHERE list_contains($statuses, t.status::TEXT) AND t.image IS NOT NULL AND {sample_of_loop}

-- :name samples_without_picture
-- How many samples of these statuses have no picture yet.
SELECT count(*) FROM sample_state t WHERE list_contains($statuses, t.status::TEXT) AND t.image IS NULL AND {sample_of_loop}

-- :name samples_of_checkpoint
-- What the run that made a checkpoint was trained on, as it was frozen.
SELECT s.sample_id, s.revision, coalesce(v.question, m.question) AS question, coalesce(v.choices, m.choices) AS choices, coalesce(v.answer, m.answer) AS answer,
       t.image, t.error_type, m.route::TEXT AS route
FROM run r JOIN run_sample s USING (run_id) JOIN sample m USING (sample_id) JOIN sample_state t USING (sample_id)
LEFT JOIN revision v ON v.sample_id = s.sample_id AND v.revision = s.revision
WHERE r.checkpoint_id = $checkpoint_id ORDER BY s.sample_id

-- :name examples_for_merge
-- A few examples on which merged weights are held against base and adapter.
SELECT e.image, e.question, e.choices, d.prompt_suffix FROM example e JOIN dataset d ON d.name = e.dataset
ORDER BY hash(e.example_id) LIMIT $limit

-- :name samples_approved_count
-- How many samples are approved, by people or a rule.
SELECT count(*) FROM sample_state t WHERE status IN ('approved', 'auto_approved') AND {sample_of_loop}

-- :name datasets_of_export
-- Where the datasets of exported samples come from, and under which licence.
SELECT name, title, source, licence FROM dataset WHERE list_contains($names, name) ORDER BY name

-- :name examples_of_dataset
-- What scoring an imported prediction needs.
SELECT e.example_id, e.external_id, e.split::TEXT AS split, e.golds, e.choices, d.metric, e.position, e.question, e.image
FROM example e JOIN dataset d ON d.name = e.dataset WHERE e.dataset = $dataset

-- :name answers_of_unknown_dataset
-- The different gold answers of a train split, where the dataset states no kind of question and has no choices; at most so many.
SELECT DISTINCT unnest(golds) AS answer FROM example e
WHERE dataset = $dataset AND split = 'train' AND NOT EXISTS (FROM example k WHERE k.dataset = $dataset AND (k.kind IS NOT NULL OR len(k.choices) > 0))
ORDER BY answer LIMIT $most

-- :name dataset_answer_form
-- Changes what an answer must look like.
UPDATE dataset SET answer_form = $answer_form WHERE name = $dataset

-- :name examples_with_few_golds
-- How many examples of a dataset have at most so many golds.
SELECT count(*) FROM example WHERE dataset = $dataset AND len(golds) <= $most

-- :name golds_of_split
-- The golds of all examples of a split.
SELECT golds FROM example WHERE dataset = $dataset AND split::TEXT = $split ORDER BY example_id

-- :name answers_of_checkpoint
-- What a checkpoint has answered of a dataset so far.
SELECT p.example_id, p.answer FROM prediction p JOIN example e USING (example_id) WHERE p.checkpoint_id = $checkpoint_id AND e.dataset = $dataset

-- :name predictions_list
-- Answers of a checkpoint with golds and scores, of one dataset and split or of all.
SELECT e.dataset, e.external_id, e.split::TEXT AS split, e.question, e.golds, e.choices, d.metric, p.answer, p.strict, p.lenient, coalesce(p.cut, false) AS cut
FROM prediction p JOIN example e USING (example_id) JOIN dataset d ON d.name = e.dataset
WHERE p.checkpoint_id = $checkpoint_id AND ($dataset IS NULL OR e.dataset = $dataset) AND ($split IS NULL OR e.split::TEXT = $split)
  AND (NOT $differing OR p.lenient > p.strict)
ORDER BY e.dataset, e.example_id LIMIT $limit

-- :name cut_answers_of_job
-- How many answers of a job were cut at the longest length.
SELECT count(*) FROM prediction WHERE job_id = $job_id AND cut

-- :name job_error_count
-- How many bad rows a job has.
SELECT count(*) FROM row_error WHERE job_id = $job_id

-- :name run_checkpoint
-- Tells a run which checkpoint it made.
UPDATE run SET checkpoint_id = (SELECT checkpoint_id FROM checkpoint WHERE name = $name) WHERE run_id = $run_id

-- :name clusters_of_job
-- The clusters that a job made, by their names in its results.
SELECT cluster_id, name FROM cluster WHERE job_id = $job_id

-- :name prediction_count
-- How many examples a checkpoint has answered.
SELECT count(*) FROM prediction WHERE checkpoint_id = $checkpoint_id
