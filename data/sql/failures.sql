-- :name failure_ids
-- The failures of a round and the examples they are of.
SELECT failure_id, example_id FROM failure WHERE round = $round ORDER BY failure_id
