-- :name review_short
-- How far each group is from its target count of approved samples, 0 to 1, of those below it: clusters by number, error types by name. A fragment.
SELECT w.cluster_id, w.error_type, w.short FROM (SELECT unnest($short::STRUCT(cluster_id BIGINT, error_type TEXT, short DOUBLE)[]) AS w)

-- :name review_short_failures
-- The failures behind samples of which too few are approved: of their cluster, or, where they are in none, of their error type. A fragment.
SELECT s.failure_id, w.short FROM failure_state s JOIN ({review_short}) w ON w.cluster_id = s.cluster_id
UNION ALL SELECT s.failure_id, w.short FROM failure_state s JOIN ({review_short}) w ON w.error_type = s.error_type WHERE s.cluster_id IS NULL

-- :name review_key
-- Where a sample stands in the queue, ascending. Most informative: what the sum of three shares makes large, each 0 to 1: how much the filters disagree
-- (1 where half of them fail it), how near the nearest score is to its threshold (both are in `unsure`, see sample_state.sql), how far the cluster is from
-- its target. Undrawn ones last.
CASE $order WHEN 'newest' THEN -t.sample_id WHEN 'oldest' THEN t.sample_id WHEN 'random' THEN hash(t.sample_id) >> 12
     ELSE coalesce(t.unsure, 2.995) - coalesce(b.short, w.short, 0) END::DOUBLE

-- :name review_keyed
-- What a place in the queue is worked out from; a sample by hand that practises no failure goes by its error type. A fragment.
sample_state t LEFT JOIN ({review_short_failures}) b ON b.failure_id = t.failure_id
LEFT JOIN ({review_short}) w ON w.error_type = CASE WHEN t.failure_id IS NULL THEN t.error_type END

-- :name review_queue
-- The samples that a filter matches, with their place. A fragment.
SELECT t.sample_id, {review_key} AS key FROM {review_keyed} WHERE {sample_filter}

-- :name review_next
-- The samples of a queue after a place (or from its beginning), past the first $skip.
SELECT sample_id, key FROM ({review_queue})
WHERE ($after_key IS NULL OR key > $after_key::DOUBLE OR (key = $after_key::DOUBLE AND sample_id > $after_id::BIGINT))
ORDER BY key, sample_id LIMIT $limit OFFSET coalesce($skip, 0)

-- :name review_before
-- The samples of a queue before a place, the nearest first.
SELECT sample_id, key FROM ({review_queue})
WHERE key < $after_key::DOUBLE OR (key = $after_key::DOUBLE AND sample_id < $after_id::BIGINT)
ORDER BY key DESC, sample_id DESC LIMIT $limit

-- :name review_rank
-- How many samples of a queue stand before a place, and how many there are.
SELECT count(*) FILTER (key < $after_key::DOUBLE OR (key = $after_key::DOUBLE AND sample_id < $after_id::BIGINT)) AS before, count(*) AS total
FROM ({review_queue})

-- :name review_total
-- How many samples a filter matches.
SELECT count(*) FROM sample_state t WHERE {sample_filter}

-- :name review_place
-- The place of one sample in an order, whether the filter matches it or not.
SELECT t.sample_id, {review_key} AS key FROM {review_keyed} WHERE t.sample_id = $sample_id

-- :name review_approved
-- How many samples of each group are approved, of those that there are: by cluster of the failure behind them, by error type where there is none.
SELECT cluster_id, error_type, count(*) FILTER (status IN ('approved', 'auto_approved')) AS approved
FROM (SELECT f.cluster_id, CASE WHEN f.cluster_id IS NULL THEN coalesce(f.error_type, t.error_type) END AS error_type, t.status
      FROM sample_state t LEFT JOIN (SELECT failure_id, cluster_id, error_type FROM failure_state) f USING (failure_id))
GROUP BY ALL ORDER BY ALL
