-- :name failure_ids
-- The failures of a round and the examples they are of.
SELECT failure_id, example_id FROM failure WHERE round = $round ORDER BY failure_id

-- What the Failures page filters by. Each part lets everything through where its parameter is NULL; an absent value is ''.

-- :name failure_filter
-- Which failures of a round are meant: those that every part lets through.
round = $round AND {in_dataset} AND {in_error_type} AND {in_kind} AND {in_cluster} AND {in_use} AND {in_triage} AND {in_score} AND {in_words} AND {in_ids}

-- :name in_dataset
-- Part of failure_filter.
($dataset IS NULL OR list_contains($dataset::TEXT[], dataset))

-- :name in_error_type
-- Part of failure_filter.
($error_type IS NULL OR list_contains($error_type::TEXT[], coalesce(error_type, '')))

-- :name in_kind
-- Part of failure_filter.
($kind IS NULL OR list_contains($kind::TEXT[], coalesce(kind, '')))

-- :name in_cluster
-- Part of failure_filter.
($cluster_id IS NULL OR list_contains($cluster_id::BIGINT[], coalesce(cluster_id, -1)))

-- :name in_use
-- Part of failure_filter.
($use IS NULL OR list_contains($use::TEXT[], {use_of_failure}))

-- :name in_triage
-- Part of failure_filter.
($triage IS NULL OR list_contains($triage::TEXT[], coalesce(triage, '')))

-- :name in_score
-- Part of failure_filter.
($score IS NULL OR list_contains($score::TEXT[], {score_of_failure}))

-- :name in_words
-- Part of failure_filter: every word occurs somewhere in question, answer, golds or diagnosis.
($words IS NULL OR list_bool_and([contains(lower(concat_ws(' ', question, answer, array_to_string(golds, ' '), description, faulty_reasoning)), w)
                                  FOR w IN string_split(lower($words::TEXT), ' ')]))

-- :name in_ids
-- Part of failure_filter.
($failure_ids IS NULL OR failure_id IN (SELECT unnest($failure_ids::BIGINT[])))

-- :name score_of_failure
-- How wrong an answer is.
CASE WHEN lenient >= 0.5 THEN 'right in another form' WHEN lenient > 0 THEN 'partly right' ELSE 'wrong' END

-- :name failures_summary
-- The round at a glance: items, answers, accuracy with and without label errors, how far diagnosis and clustering are.
WITH here AS (SELECT r.round, c.checkpoint_id, c.name AS checkpoint FROM round r JOIN checkpoint c USING (checkpoint_id) WHERE r.round = $round),
card AS (SELECT failure_id, diagnosis_id, teachable, cluster_id, ({label_error}) AS label_error FROM failure_card WHERE round = $round),
answered AS (
    SELECT p.strict, coalesce(k.label_error, false) AS label_error
    FROM prediction p JOIN here USING (checkpoint_id) JOIN example e USING (example_id)
    LEFT JOIN failure f USING (prediction_id) LEFT JOIN card k USING (failure_id) WHERE e.split = 'train')
SELECT here.*, (SELECT count(*) FROM example WHERE split = 'train') AS examples, a.*, k.*,
       (SELECT max(job_id) FROM place JOIN failure USING (failure_id) WHERE round = $round) AS map_job,
       (SELECT count(*) FROM triage) AS triaged
FROM here,
     (SELECT count(*) AS answered, avg(strict) AS accuracy, avg(strict) FILTER (NOT label_error) AS accuracy_without_label_errors,
             count(*) FILTER (label_error) AS label_errors FROM answered) a,
     (SELECT count(*) AS failures, count(diagnosis_id) AS diagnosed, count(*) FILTER (teachable) AS teachable, count(cluster_id) AS placed FROM card) k

-- :name failure_clusters
-- The clusters of a round: size, how many the other facets let through, accuracy over all train examples assigned (and a round before).
WITH marked AS (
    SELECT cluster_id, {in_dataset} AND {in_error_type} AND {in_kind} AND {in_use} AND {in_triage} AND {in_score} AND {in_words} AND {in_ids} AS shown
    FROM failure_card WHERE round = $round AND cluster_id IS NOT NULL),
accuracy AS (
    SELECT a.cluster_id, avg(p.strict) AS accuracy, avg(b.strict) AS accuracy_before, count(*) AS examples
    FROM assignment a JOIN round r USING (round) JOIN example e USING (example_id)
    JOIN prediction p ON p.example_id = a.example_id AND p.checkpoint_id = r.checkpoint_id
    LEFT JOIN round l ON l.round = $round - 1
    LEFT JOIN prediction b ON b.example_id = a.example_id AND b.checkpoint_id = l.checkpoint_id
    WHERE a.round = $round AND e.split = 'train' GROUP BY a.cluster_id)
SELECT cluster_id, c.error_type, c.title, count(*) AS failures, count(*) FILTER (shown) AS shown,
       any_value(accuracy) AS accuracy, any_value(accuracy_before) AS accuracy_before, any_value(examples) AS examples
FROM marked JOIN cluster c USING (cluster_id) LEFT JOIN accuracy USING (cluster_id)
GROUP BY cluster_id, c.error_type, c.title
ORDER BY sum(failures) OVER (PARTITION BY c.error_type) DESC, c.error_type, failures DESC

-- :name failure_facets
-- Every facet's values with counts under all the other parts of the filter, so that a second value can be added.
WITH marked AS MATERIALIZED (
    SELECT dataset, coalesce(error_type, '') AS error_type, coalesce(kind, '') AS kind, {use_of_failure} AS use, coalesce(triage, '') AS triage,
           {score_of_failure} AS score, {in_dataset} AS d, {in_error_type} AS e, {in_kind} AS k, {in_use} AS u, {in_triage} AS t, {in_score} AS s
    FROM failure_card WHERE round = $round AND {in_cluster} AND {in_words} AND {in_ids})
SELECT * FROM (
    SELECT 'error_type' AS facet, error_type AS value, count(*) FILTER (d AND k AND u AND t AND s) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'dataset', dataset, count(*) FILTER (e AND k AND u AND t AND s) FROM marked GROUP BY ALL
    UNION ALL SELECT 'kind', kind, count(*) FILTER (d AND e AND u AND t AND s) FROM marked GROUP BY ALL
    UNION ALL SELECT 'use', use, count(*) FILTER (d AND e AND k AND t AND s) FROM marked GROUP BY ALL
    UNION ALL SELECT 'triage', triage, count(*) FILTER (d AND e AND k AND u AND s) FROM marked GROUP BY ALL
    UNION ALL SELECT 'score', score, count(*) FILTER (d AND e AND k AND u AND t) FROM marked GROUP BY ALL)
ORDER BY facet, count DESC, value

-- :name failure_points
-- The map of a round: place, colour keys, and whether the filter lets a failure through.
SELECT failure_id::INTEGER AS failure_id, x, y, coalesce(error_type, '') AS error_type, dataset, cluster_id::INTEGER AS cluster_id,
       round(100 * strict)::UTINYINT AS score
FROM failure_card WHERE round = $round AND x IS NOT NULL ORDER BY failure_id

-- :name failures_shown
-- The failures that the filter lets through.
SELECT failure_id::INTEGER AS failure_id FROM failure_card WHERE {failure_filter} ORDER BY failure_id

-- :name failures_to_ask
-- The failures that the filter lets through and that have no diagnosis yet.
SELECT failure_id::INTEGER AS failure_id FROM failure_card WHERE {failure_filter} AND diagnosis_id IS NULL ORDER BY failure_id

-- :name failure_page
-- A page of failures for the grid: the most typical of their cluster first, then those without a place, newest last.
SELECT failure_id, image, question, answer, golds, choices, dataset, error_type, triage, teachable, diagnosis_id IS NOT NULL AS diagnosed
FROM failure_card WHERE {failure_filter} ORDER BY distance NULLS LAST, failure_id LIMIT $limit OFFSET $offset

-- :name failure_tally
-- How many failures the filter lets through, by error type.
SELECT coalesce(error_type, '') AS error_type, count(*) AS failures, count(diagnosis_id) AS diagnosed, count(*) FILTER (teachable) AS teachable
FROM failure_card WHERE {failure_filter} GROUP BY ALL ORDER BY failures DESC

-- :name failure_card_of
-- One failure with all that is known of it, how often it was practised, and what people said.
SELECT f.*, {use_of_failure} AS use, c.title AS cluster, s.metric, s.threshold, s.title AS dataset_title,
       (SELECT count(*) FROM sample m WHERE m.failure_id = f.failure_id) AS samples,
       (SELECT count(*) FROM sample_state m WHERE m.failure_id = f.failure_id AND m.status IN ('approved', 'auto_approved')) AS approved,
       (SELECT list({'label': t.label, 'error_type': t.error_type, 'reviewer': t.reviewer, 'created_at': t.created_at} ORDER BY t.created_at DESC)
        FROM triage t WHERE t.failure_id = f.failure_id) AS history
FROM failure_card f JOIN dataset s ON s.name = f.dataset LEFT JOIN cluster c USING (cluster_id) WHERE f.failure_id = $failure_id

-- :name failures_known
-- Which of these failures exist.
SELECT failure_id FROM failure WHERE failure_id IN (SELECT unnest($failure_ids::BIGINT[]))

-- :name triage_count
-- How many words people have said on failures.
SELECT count(*) FROM triage
