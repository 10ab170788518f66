-- :name dataset_use
-- What depends on a dataset: what was made of its examples, what was paid for, what people decided.
WITH own AS (SELECT example_id FROM example WHERE dataset = $dataset),
     failed AS (SELECT failure_id FROM failure WHERE example_id IN (FROM own)),
     made AS (SELECT sample_id FROM sample WHERE dataset = $dataset OR failure_id IN (FROM failed))
SELECT (SELECT count(*) FROM own) AS examples,
       (SELECT count(*) FROM prediction WHERE example_id IN (FROM own)) AS predictions,
       (SELECT count(DISTINCT checkpoint_id) FROM prediction WHERE example_id IN (FROM own)) AS checkpoints,
       (SELECT count(*) FROM failed) AS failures,
       (SELECT count(*) FROM diagnosis WHERE failure_id IN (FROM failed)) AS diagnoses,
       (SELECT count(*) FROM triage WHERE failure_id IN (FROM failed)) AS labels,
       (SELECT count(*) FROM made) AS samples,
       (SELECT count(*) FROM review WHERE sample_id IN (FROM made)) AS decisions,
       (SELECT count(DISTINCT run_id) FROM run_sample WHERE sample_id IN (FROM made)) AS runs

-- :name removed_datasets
-- Datasets that were removed, the latest first.
SELECT r.dataset AS name, d.title, r.author, r.removed_at, count(e.example_id) AS examples
FROM removed_dataset r JOIN dataset d ON d.name = r.dataset LEFT JOIN removed_example e ON e.dataset = r.dataset
GROUP BY ALL ORDER BY r.removed_at DESC

-- :name dataset_names_taken
-- The names of all datasets, removed ones too.
SELECT name FROM dataset ORDER BY rowid

-- :name removed_keep_failures
-- Lays the failures of a dataset aside.
INSERT INTO removed_failure BY NAME SELECT f.* FROM failure f JOIN example e USING (example_id) WHERE e.dataset = $dataset RETURNING failure_id

-- :name removed_delete_failures
-- Takes away the failures of a dataset that lie aside.
DELETE FROM failure WHERE failure_id IN (SELECT f.failure_id FROM removed_failure f JOIN example e USING (example_id) WHERE e.dataset = $dataset)

-- :name removed_keep_examples
-- Lays the examples of a dataset aside.
INSERT INTO removed_example BY NAME SELECT * FROM example WHERE dataset = $dataset

-- :name removed_delete_examples
-- Takes away the examples of a dataset that lie aside.
DELETE FROM example WHERE dataset = $dataset AND example_id IN (SELECT example_id FROM removed_example)

-- :name removed_return_examples
-- Puts the examples of a removed dataset back.
INSERT INTO example BY NAME SELECT * FROM removed_example WHERE dataset = $dataset

-- :name removed_return_failures
-- Puts the failures of a removed dataset back.
INSERT INTO failure BY NAME SELECT f.* FROM removed_failure f JOIN removed_example e USING (example_id) WHERE e.dataset = $dataset RETURNING failure_id

-- :name removed_forget_failures
-- Empties what was put back of a dataset: its failures.
DELETE FROM removed_failure WHERE example_id IN (SELECT example_id FROM removed_example WHERE dataset = $dataset)

-- :name removed_forget_examples
-- Empties what was put back of a dataset: its examples.
DELETE FROM removed_example WHERE dataset = $dataset

-- :name removed_forget
-- Takes a dataset from the list of removed ones.
DELETE FROM removed_dataset WHERE dataset = $dataset

-- :name dataset_rename
-- Gives a dataset another name; a title that was its name follows.
UPDATE dataset SET name = $new, title = CASE WHEN title = $old THEN $new ELSE title END WHERE name = $old

-- :name dataset_rename_examples
-- Gives the examples of a dataset its other name.
UPDATE example SET dataset = $new WHERE dataset = $old

-- :name dataset_rename_samples
-- Gives the samples of a dataset its other name.
UPDATE sample SET dataset = $new WHERE dataset = $old RETURNING sample_id

-- :name dataset_rename_reports
-- Gives what the imports of a dataset said its other name.
UPDATE import_report SET dataset = $new WHERE dataset = $old

-- :name failures_of_examples
-- The failures of a dataset's examples.
SELECT f.failure_id FROM failure f JOIN example e USING (example_id) WHERE e.dataset = $dataset

-- :name views_of_dataset
-- Saved views that may name a dataset.
SELECT view_id, query FROM saved_view WHERE contains(query, 'dataset=')

-- :name view_requery
-- Gives a saved view another query.
UPDATE saved_view SET query = $query WHERE view_id = $view_id

-- :name jobs_under_way
-- Jobs that run or wait to.
SELECT job_id FROM job WHERE status IN ('running', 'queued') ORDER BY job_id
