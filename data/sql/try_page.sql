-- :name try_examples
-- Some examples, another dozen for another seed, the datasets in turns.
SELECT * EXCLUDE (turn) FROM (
    SELECT e.example_id, e.dataset, e.split::TEXT AS split, e.image, e.question, e.choices, e.golds, d.prompt_suffix,
           row_number() OVER (PARTITION BY e.dataset ORDER BY hash(e.example_id + $seed * 1000003)) AS turn
    FROM example e JOIN dataset d ON d.name = e.dataset)
ORDER BY turn, dataset LIMIT $limit

-- :name test_example
-- An example that a checkpoint is tested on: the first of the newest dataset.
SELECT e.image, e.question, e.choices, d.prompt_suffix FROM example e JOIN dataset d ON d.name = e.dataset
ORDER BY d.created_at DESC, e.example_id LIMIT 1

-- :name try_suffixes
-- What questions are sent with, by dataset.
SELECT name, prompt_suffix FROM dataset WHERE name NOT IN (SELECT dataset FROM removed_dataset) ORDER BY rowid
