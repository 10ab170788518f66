-- :name import_report
-- What an import read.
SELECT job_id, dataset, format, layout, source, examples, skipped, remarks, created_at FROM import_report WHERE job_id = $job_id

-- :name import_reports
-- What the latest import of each source read.
SELECT job_id, dataset, format, layout, source, examples, skipped, remarks, created_at FROM import_report
QUALIFY row_number() OVER (PARTITION BY dataset, source ORDER BY job_id DESC) = 1 ORDER BY job_id

-- :name row_error_of
-- The error of one row of a job.
SELECT error FROM row_error WHERE job_id = $job_id AND key = $key

-- :name job_failed_count
-- Counts a job's failed rows anew.
UPDATE job SET failed = (SELECT count(*) FROM row_error e WHERE e.job_id = $job_id) WHERE job_id = $job_id

-- :name dataset_splits
-- All datasets with their examples by split.
SELECT d.name, d.title, d.format, d.metric, d.threshold, d.source, count(*) FILTER (e.split = 'train') AS train,
       count(*) FILTER (e.split = 'dev') AS dev, count(*) FILTER (e.split = 'eval') AS eval
FROM dataset d ANTI JOIN removed_dataset r ON r.dataset = d.name LEFT JOIN example e ON e.dataset = d.name GROUP BY ALL ORDER BY min(d.rowid)

-- :name dataset_items
-- The examples of a dataset, as they were read: by split, in the order of the source.
SELECT e.external_id, e.split::TEXT AS split, e.question, e.golds, e.choices, e.kind, e.position, e.image, i.width, i.height
FROM example e LEFT JOIN image i USING (image)
WHERE e.dataset = $dataset AND ($split IS NULL OR e.split::TEXT = $split) ORDER BY e.split, e.position NULLS LAST, e.example_id LIMIT $limit

-- :name dataset_as_it_is
-- A dataset's own settings.
SELECT metric, threshold, prompt_suffix FROM dataset WHERE name = $dataset

-- :name examples_as_they_are
-- All examples of a dataset, to compare others with, as they lie in the table.
SELECT example_id, external_id, split::TEXT AS split, question, choices, golds, image, kind FROM example WHERE dataset = $dataset

-- :name dataset_replace
-- Gives a dataset the settings of a new import.
UPDATE dataset SET metric = $metric, threshold = $threshold, prompt_suffix = $prompt_suffix, answer_form = $answer_form, source = $source,
    format = $format, title = $title, licence = $licence WHERE name = $name

-- :name examples_keep_before
-- Keeps examples as they were before an import changed them.
INSERT INTO example_before BY NAME
SELECT c.job_id, e.example_id, e.question, e.choices, e.golds, e.image, e.kind FROM example_change c JOIN example e USING (example_id)
WHERE c.job_id = $job_id

-- :name examples_replace
-- Puts the changed content of an import in its examples' place.
UPDATE example SET question = c.question, choices = c.choices, golds = c.golds, image = c.image, kind = c.kind
FROM example_change c WHERE c.job_id = $job_id AND c.example_id = example.example_id

-- :name failures_no_more
-- Takes away the failures of a dataset whose example asks something else now, or whose answer reaches the threshold; they are kept aside.
INSERT INTO failure_before BY NAME
SELECT $job_id AS job_id, f.failure_id, f.prediction_id, f.checkpoint_id, f.example_id, f.round
FROM failure f JOIN prediction p USING (prediction_id) JOIN example e ON e.example_id = f.example_id JOIN dataset d ON d.name = e.dataset
LEFT JOIN example_change c ON c.job_id = $job_id AND c.example_id = e.example_id
WHERE e.dataset = $dataset AND (coalesce(c.asks_anew, false) OR p.strict >= d.threshold) RETURNING failure_id

-- :name failures_delete
-- Deletes failures that were kept aside.
DELETE FROM failure WHERE failure_id IN (SELECT failure_id FROM failure_before WHERE job_id = $job_id)

-- :name failures_return
-- Brings back failures that were kept aside before and are failures again: their diagnoses name them.
INSERT INTO failure BY NAME
SELECT DISTINCT ON (b.failure_id) b.failure_id, b.prediction_id, b.checkpoint_id, b.example_id, b.round
FROM failure_before b JOIN prediction p USING (prediction_id) JOIN example e ON e.example_id = b.example_id JOIN dataset d ON d.name = e.dataset
WHERE e.dataset = $dataset AND p.strict < d.threshold AND NOT EXISTS (FROM failure f WHERE f.prediction_id = b.prediction_id)
RETURNING failure_id

-- :name failures_of_dataset
-- Makes failures of a dataset's predictions that score below its threshold, as failures_from_predictions does for one checkpoint.
INSERT INTO failure (prediction_id, checkpoint_id, example_id, round)
SELECT p.prediction_id, p.checkpoint_id, p.example_id, r.round
FROM prediction p JOIN round r USING (checkpoint_id) JOIN example e USING (example_id) JOIN dataset d ON d.name = e.dataset
WHERE e.split = 'train' AND p.strict < d.threshold AND e.dataset = $dataset
  AND NOT EXISTS (FROM failure f WHERE f.prediction_id = p.prediction_id) RETURNING failure_id

-- :name predictions_keep_before
-- Keeps answers to questions that an import has changed.
INSERT INTO prediction_before BY NAME
SELECT c.job_id, p.prediction_id, p.checkpoint_id, p.example_id, p.answer, p.strict, p.lenient
FROM example_change c JOIN prediction p USING (example_id) WHERE c.job_id = $job_id AND c.asks_anew

-- :name predictions_delete
-- Deletes answers that were kept aside: the questions are asked anew.
DELETE FROM prediction WHERE prediction_id IN (SELECT prediction_id FROM prediction_before WHERE job_id = $job_id)
RETURNING prediction_id

-- :name predictions_to_rescore
-- A dataset's answers with what scoring them needs.
SELECT p.prediction_id, p.answer, p.strict, p.lenient, e.golds, e.choices, e.split::TEXT AS split
FROM prediction p JOIN example e USING (example_id)
WHERE e.dataset = $dataset AND p.prediction_id > $after ORDER BY p.prediction_id LIMIT $limit

-- :name predictions_rescore
-- Gives answers the scores of a rescoring.
UPDATE prediction SET strict = r.strict, lenient = r.lenient FROM rescoring r
WHERE r.job_id = $job_id AND r.prediction_id = prediction.prediction_id

-- :name examples_forget
-- Deletes examples that a new list lacks, as far as nothing was made of them; returns those that went.
DELETE FROM example WHERE example_id IN (SELECT unnest($example_ids::BIGINT[]))
  AND NOT EXISTS (FROM prediction p WHERE p.example_id = example.example_id) RETURNING example_id
