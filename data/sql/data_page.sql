-- :name data_datasets
-- All datasets with their counts a split, and what the round's checkpoint scores on them.
WITH now AS (SELECT checkpoint_id FROM round ORDER BY round DESC LIMIT 1)
SELECT d.*, count(*) FILTER (e.split = 'train') AS train, count(*) FILTER (e.split = 'dev') AS dev, count(*) FILTER (e.split = 'eval') AS eval,
       avg(p.strict) FILTER (e.split = 'train') AS train_accuracy, avg(p.strict) FILTER (e.split = 'eval') AS eval_accuracy
FROM dataset d ANTI JOIN removed_dataset r ON r.dataset = d.name LEFT JOIN example e ON e.dataset = d.name
LEFT JOIN prediction p ON p.example_id = e.example_id AND p.checkpoint_id = (SELECT checkpoint_id FROM now)
GROUP BY ALL ORDER BY min(d.rowid)

-- :name data_pictures
-- A few examples of each dataset; lists carry 500 characters of a question.
SELECT dataset, image, left(question, 500) AS question, golds FROM example QUALIFY row_number() OVER (PARTITION BY dataset ORDER BY hash(example_id)) <= $each

-- :name data_checkpoints
-- All checkpoints: where they come from, how much they were asked, and whether the round starts from them.
SELECT c.checkpoint_id, c.name, c.baseline, c.model, c.adapter, c.run_id, c.created_at, q.name AS parent, r.job_id,
       count(p.prediction_id) AS predictions, avg(p.strict) FILTER (e.split = 'eval') AS eval_accuracy,
       c.checkpoint_id = (SELECT checkpoint_id FROM round ORDER BY round DESC LIMIT 1) AS of_round
FROM checkpoint c LEFT JOIN checkpoint q ON q.checkpoint_id = c.parent LEFT JOIN run r ON r.run_id = c.run_id
LEFT JOIN prediction p ON p.checkpoint_id = c.checkpoint_id LEFT JOIN example e USING (example_id)
GROUP BY ALL ORDER BY c.checkpoint_id
