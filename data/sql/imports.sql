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
FROM dataset d LEFT JOIN example e ON e.dataset = d.name GROUP BY ALL ORDER BY min(d.rowid)

-- :name dataset_items
-- The examples of a dataset, as they were read.
SELECT e.external_id, e.split::TEXT AS split, e.question, e.golds, e.choices, e.kind, e.position, e.image, i.width, i.height
FROM example e LEFT JOIN image i USING (image)
WHERE e.dataset = $dataset AND ($split IS NULL OR e.split::TEXT = $split) ORDER BY e.example_id LIMIT $limit
