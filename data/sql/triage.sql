-- :name failures_known
-- Which of these failures exist.
SELECT failure_id FROM failure WHERE failure_id IN (SELECT unnest($failure_ids::BIGINT[]))

-- :name triage_count
-- How many triage events there are, undone ones and undos included.
SELECT count(*) FROM triage

-- :name triage_batch
-- The triage events of a batch, and whether each was undone.
SELECT t.failure_id, t.event_id, t.label, t.error_type, f.round, EXISTS (FROM triage u WHERE u.undoes = t.event_id) AS undone
FROM triage t JOIN failure f USING (failure_id) WHERE coalesce(t.batch_id, t.event_id) = $batch_id AND t.undoes IS NULL ORDER BY t.failure_id

-- :name triage_history
-- Triage labels on the failures of some rounds, newest first, a line a batch.
SELECT coalesce(t.batch_id, t.event_id) AS batch_id, any_value(t.label) AS label, any_value(t.error_type) AS error_type, any_value(t.reviewer) AS reviewer,
       max(t.created_at) AS created_at, count(*) AS failures, min(t.failure_id) AS failure_id,
       bool_and(t.event_id IN (SELECT undoes FROM triage WHERE undoes IS NOT NULL)) AS undone
FROM triage t JOIN failure f USING (failure_id) WHERE t.undoes IS NULL AND list_contains($round::TEXT[], f.round::TEXT)
GROUP BY ALL ORDER BY max(t.triage_id) DESC LIMIT $limit

-- :name failures_out_of_type
-- Those of these failures that have another error type until now and stand in a cluster of another type that no person put together.
SELECT s.failure_id, s.example_id, s.round, s.cluster_id, s.x, s.y FROM failure_state s JOIN cluster c ON c.cluster_id = s.cluster_id
WHERE s.failure_id IN (SELECT unnest($failure_ids::BIGINT[])) AND s.error_type IS DISTINCT FROM $error_type AND c.error_type <> $error_type
  AND c.made_by IS NULL AND NOT EXISTS (FROM cluster_change m WHERE m.action = 'merge' AND m.into_id = c.cluster_id
                                        AND NOT EXISTS (FROM cluster_change u WHERE u.undoes = m.change_id))
ORDER BY s.failure_id

-- :name clusters_of_type
-- The clusters of an error type on the map of a round.
SELECT c.cluster_id FROM cluster c WHERE c.round = $round AND c.error_type = $error_type AND EXISTS (FROM place l WHERE l.cluster_id = c.cluster_id)
ORDER BY c.cluster_id

-- :name assignments_move
-- Puts examples of a round into a cluster.
UPDATE assignment SET cluster_id = $cluster_id WHERE round = $round AND example_id IN (SELECT unnest($example_ids::BIGINT[]))

-- :name changes_of_batch
-- The cluster edits that followed from a batch of triage events, without those undone.
SELECT c.* FROM cluster_change c WHERE c.batch_id = $batch_id AND c.action <> 'undo' AND NOT EXISTS (FROM cluster_change u WHERE u.undoes = c.change_id)
ORDER BY c.change_id

-- :name triage_undos
-- The events that undid a batch of triage events.
SELECT coalesce(list(u.event_id), []) AS events FROM triage u JOIN triage t ON t.event_id = u.undoes WHERE coalesce(t.batch_id, t.event_id) = $batch_id
