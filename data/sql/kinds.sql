-- :name examples_without_kind
-- Examples whose dataset states no kind and which have none by name yet (or, with $again, all such), train first; golds of the train split only.
SELECT e.example_id, e.dataset, e.split::TEXT AS split, e.question, e.choices, e.image, CASE WHEN e.split = 'train' THEN e.golds[1] END AS gold
FROM example e LEFT JOIN kind k USING (example_id)
WHERE e.kind IS NULL AND ($again OR k.name IS NULL) AND ($datasets IS NULL OR list_contains($datasets::TEXT[], e.dataset))
ORDER BY e.split = 'train' DESC, hash(e.example_id)

-- :name kinds_named
-- The kinds that a frontier model named, most frequent first.
SELECT name FROM kind WHERE name IS NOT NULL GROUP BY name ORDER BY count(*) DESC, name

-- :name named_kinds_as_skills
-- The kinds that a frontier model named, with the error type that most of each have, most frequent first.
SELECT name, mode(error_type) AS error_type FROM kind WHERE name IS NOT NULL GROUP BY name ORDER BY count(*) DESC, name LIMIT $limit

-- :name kinds_put
-- Gives examples their named kind; those whose dataset states one are left alone.
INSERT OR REPLACE INTO kind BY NAME
SELECT n.example_id, $error_type AS error_type, $job_id AS job_id, $name AS name,
       CASE WHEN n.example_id = $asked_example THEN 'asked' ELSE $source END AS source, $asked_example AS asked_example,
       $likeness::DOUBLE AS likeness, $frontier AS frontier, now() AS created_at
FROM (SELECT unnest($example_ids::BIGINT[]) AS example_id) n JOIN example e USING (example_id) WHERE e.kind IS NULL

-- :name kinds_by_source
-- How examples whose dataset states no kind came by one, by split; source "none" for those that have none.
SELECT e.split::TEXT AS split, coalesce(k.source, 'none') AS source, count(*) AS examples, count(DISTINCT k.name) AS kinds
FROM example e LEFT JOIN kind k ON k.example_id = e.example_id AND k.name IS NOT NULL
WHERE e.kind IS NULL AND ($datasets IS NULL OR list_contains($datasets::TEXT[], e.dataset)) GROUP BY ALL ORDER BY ALL

-- :name failures_of_examples_without_kind
-- The failures of examples whose dataset states no kind: what they are shown with follows from their named kind.
SELECT f.failure_id FROM failure f JOIN example e ON e.example_id = f.example_id WHERE e.kind IS NULL
