-- :name failure_ids
-- The failures of a round and the examples they are of.
SELECT failure_id, example_id FROM failure WHERE round = $round ORDER BY failure_id

-- What the Failures page filters by. Each part lets everything through where its parameter is NULL; an absent value is ''.

-- :name failure_filter
-- Which failures are meant: those that every part lets through. A fragment over failure_state.
{failure_in_facets} AND {failure_in_rest}

-- :name failure_in_facets
-- Part of failure_filter: the facets.
{in_dataset} AND {in_error_type} AND {in_kind} AND {in_assigned} AND {in_opening} AND {in_length} AND {in_score} AND {in_confidence}
AND {in_use} AND {in_triage} AND {in_checkpoint} AND {in_round}

-- :name failure_in_rest
-- Part of failure_filter: what is no facet.
{in_cluster} AND {failure_in_search_and_lasso}

-- :name failure_in_search_and_lasso
-- Part of failure_filter: what a search found and what was lassoed, as bitmaps of ids (data/search.py) whose last bit is 0.
($found IS NULL OR get_bit($found::BLOB::BIT, least(failure_id, bit_length($found::BLOB::BIT) - 1)::INTEGER) = 1)
AND ($chosen IS NULL OR get_bit($chosen::BLOB::BIT, least(failure_id, bit_length($chosen::BLOB::BIT) - 1)::INTEGER) = 1)

-- :name in_cluster
-- Part of failure_filter.
($cluster_id IS NULL OR list_contains($cluster_id::BIGINT[], coalesce(cluster_id, -1)))

-- :name in_dataset
-- Part of failure_filter.
($dataset IS NULL OR list_contains($dataset::TEXT[], dataset))

-- :name in_error_type
-- Part of failure_filter.
($error_type IS NULL OR list_contains($error_type::TEXT[], coalesce(error_type, '')))

-- :name in_kind
-- Part of failure_filter.
($kind IS NULL OR list_contains($kind::TEXT[], coalesce(kind, '')))

-- :name in_assigned
-- Part of failure_filter.
($assigned IS NULL OR list_contains($assigned::TEXT[], coalesce(assigned, '')))

-- :name in_opening
-- Part of failure_filter.
($opening IS NULL OR list_contains($opening::TEXT[], opening))

-- :name in_length
-- Part of failure_filter.
($length IS NULL OR list_contains($length::TEXT[], {length_of_answer}))

-- :name in_score
-- Part of failure_filter.
($score IS NULL OR list_contains($score::TEXT[], {score_of_failure}))

-- :name in_confidence
-- Part of failure_filter.
($confidence IS NULL OR list_contains($confidence::TEXT[], {confidence_of_diagnosis}))

-- :name in_use
-- Part of failure_filter.
($use IS NULL OR list_contains($use::TEXT[], use))

-- :name in_triage
-- Part of failure_filter.
($triage IS NULL OR list_contains($triage::TEXT[], coalesce(triage, '')))

-- :name in_checkpoint
-- Part of failure_filter.
($checkpoint IS NULL OR list_contains($checkpoint::TEXT[], checkpoint_id::TEXT))

-- :name in_round
-- Part of failure_filter.
($round IS NULL OR list_contains($round::TEXT[], round::TEXT))

-- :name score_of_failure
-- How wrong an answer is.
CASE WHEN lenient >= 0.5 THEN 'right in another form' WHEN lenient > 0 THEN 'partly right' ELSE 'wrong' END

-- :name length_of_answer
-- How long the baseline's answer is.
CASE WHEN answer_words = 0 THEN 'no answer' WHEN answer_words = 1 THEN '1 word' WHEN answer_words = 2 THEN '2 words'
     WHEN answer_words <= 5 THEN '3 to 5 words' WHEN answer_words <= 10 THEN '6 to 10 words' ELSE 'more than 10 words' END

-- :name confidence_of_diagnosis
-- How sure the frontier model is of its diagnosis.
CASE WHEN confidence IS NULL THEN '' WHEN confidence >= 0.95 THEN '0.95 to 1' WHEN confidence >= 0.9 THEN '0.9 to 0.95'
     WHEN confidence >= 0.8 THEN '0.8 to 0.9' WHEN confidence >= 0.6 THEN '0.6 to 0.8' ELSE 'below 0.6' END

-- :name failures_summary
-- Some rounds at a glance: items, answers, strict and lenient accuracy with and without label errors, how far diagnosis and clustering are.
WITH here AS (SELECT r.round, c.checkpoint_id, c.name AS checkpoint FROM round r JOIN checkpoint c USING (checkpoint_id)
              WHERE list_contains($round::TEXT[], r.round::TEXT)),
answered AS (
    SELECT count(*) AS n, sum(p.strict) AS strict, sum(p.lenient) AS lenient FROM prediction p JOIN example e USING (example_id)
    WHERE p.checkpoint_id IN (SELECT checkpoint_id FROM here) AND e.split = 'train'),
card AS (
    SELECT count(*) AS failures, count(diagnosis_id) AS diagnosed, count(*) FILTER (teachable) AS teachable, count(cluster_id) AS placed,
           (sum(hash(failure_id, x, y, error_type, cluster_id)) FILTER (x IS NOT NULL))::TEXT AS map_mark,
           count(*) FILTER (label_error) AS label_errors, coalesce(sum(strict) FILTER (label_error), 0) AS strict,
           coalesce(sum(lenient) FILTER (label_error), 0) AS lenient
    FROM failure_state WHERE {in_round})
SELECT (SELECT max(round) FROM here) AS round, (SELECT string_agg(DISTINCT checkpoint, ', ') FROM here) AS checkpoint,
       (SELECT count(*) FROM example WHERE split = 'train') AS examples, a.n AS answered, k.* EXCLUDE (strict, lenient),
       a.strict / nullif(a.n, 0) AS accuracy, a.lenient / nullif(a.n, 0) AS accuracy_lenient,
       (a.strict - k.strict) / nullif(a.n - k.label_errors, 0) AS accuracy_without_label_errors,
       (a.lenient - k.lenient) / nullif(a.n - k.label_errors, 0) AS accuracy_lenient_without_label_errors,
       (SELECT count(*) FROM triage) AS triaged,
       (SELECT count(*) FROM example e LEFT JOIN kind n USING (example_id) WHERE e.kind IS NULL AND n.name IS NULL) AS unnamed
FROM answered a, card k

-- :name failure_clusters
-- The clusters of some rounds: size, and how many the other facets let through.
SELECT cluster_id, c.error_type, c.title, n.failures, n.shown FROM cluster c JOIN (
    SELECT cluster_id, count(*) AS failures, count(*) FILTER ({failure_in_facets} AND {failure_in_search_and_lasso}) AS shown
    FROM failure_state WHERE {in_round} AND cluster_id IS NOT NULL GROUP BY cluster_id) n USING (cluster_id)
ORDER BY sum(failures) OVER (PARTITION BY c.error_type) DESC, c.error_type, failures DESC

-- :name cluster_accuracy
-- Accuracy of the clusters of some rounds, over all train examples assigned to them; and that of the round before on the same examples.
SELECT a.cluster_id, avg(p.strict) AS accuracy, avg(p.lenient) AS accuracy_lenient, avg(b.strict) AS accuracy_before, count(*) AS examples
FROM assignment a JOIN round r USING (round) JOIN example e USING (example_id)
JOIN prediction p ON p.example_id = a.example_id AND p.checkpoint_id = r.checkpoint_id
LEFT JOIN round l ON l.round = a.round - 1
LEFT JOIN prediction b ON b.example_id = a.example_id AND b.checkpoint_id = l.checkpoint_id
WHERE list_contains($round::TEXT[], a.round::TEXT) AND e.split = 'train' GROUP BY a.cluster_id

-- :name accuracy_mark
-- What changes when predictions, rounds or assignments do.
SELECT hash((SELECT sum(hash(example_id, round, error_type, cluster_id)) FROM assignment), (SELECT count(*) FROM prediction), (SELECT count(*) FROM round))::TEXT

-- :name failure_neighbours
-- The failures that lie nearest to one on the map of its round.
SELECT o.failure_id, o.image, left(o.question, 500) AS question, o.answer, o.golds, o.choices, o.error_type, o.triage, sqrt((o.x - f.x) ** 2 + (o.y - f.y) ** 2) AS distance
FROM failure_state o, (FROM failure_state WHERE failure_id = $failure_id) f
WHERE o.round = f.round AND o.failure_id <> f.failure_id AND o.x IS NOT NULL AND f.x IS NOT NULL ORDER BY distance, o.failure_id LIMIT $limit

-- :name failure_facets
-- Every facet's values with counts under all the other parts of the filter, so that a second value can be added; the 200 most frequent of each.
-- `misses` counts the facets that don't let a failure through: for a facet's own counts it may be that facet alone.
WITH marked AS MATERIALIZED (
    SELECT dataset AS dataset, (NOT {in_dataset})::UTINYINT AS no_dataset,
           coalesce(error_type, '') AS error_type, (NOT {in_error_type})::UTINYINT AS no_error_type,
           coalesce(kind, '') AS kind, (NOT {in_kind})::UTINYINT AS no_kind,
           coalesce(assigned, '') AS assigned, (NOT {in_assigned})::UTINYINT AS no_assigned,
           opening AS opening, (NOT {in_opening})::UTINYINT AS no_opening,
           {length_of_answer} AS length, (NOT {in_length})::UTINYINT AS no_length,
           {score_of_failure} AS score, (NOT {in_score})::UTINYINT AS no_score,
           {confidence_of_diagnosis} AS confidence, (NOT {in_confidence})::UTINYINT AS no_confidence,
           use AS use, (NOT {in_use})::UTINYINT AS no_use,
           coalesce(triage, '') AS triage, (NOT {in_triage})::UTINYINT AS no_triage,
           checkpoint_id::TEXT AS checkpoint, (NOT {in_checkpoint})::UTINYINT AS no_checkpoint,
           round::TEXT AS round, (NOT {in_round})::UTINYINT AS no_round,
           no_dataset + no_error_type + no_kind + no_assigned + no_opening + no_length + no_score + no_confidence + no_use + no_triage + no_checkpoint + no_round AS misses
    FROM failure_state WHERE {failure_in_rest}),
counted AS (
SELECT 'dataset' AS facet, dataset AS value, count(*) FILTER (misses = no_dataset) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'error_type' AS facet, error_type AS value, count(*) FILTER (misses = no_error_type) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'kind' AS facet, kind AS value, count(*) FILTER (misses = no_kind) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'assigned' AS facet, assigned AS value, count(*) FILTER (misses = no_assigned) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'opening' AS facet, opening AS value, count(*) FILTER (misses = no_opening) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'length' AS facet, length AS value, count(*) FILTER (misses = no_length) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'score' AS facet, score AS value, count(*) FILTER (misses = no_score) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'confidence' AS facet, confidence AS value, count(*) FILTER (misses = no_confidence) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'use' AS facet, use AS value, count(*) FILTER (misses = no_use) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'triage' AS facet, triage AS value, count(*) FILTER (misses = no_triage) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'checkpoint' AS facet, checkpoint AS value, count(*) FILTER (misses = no_checkpoint) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'round' AS facet, round AS value, count(*) FILTER (misses = no_round) AS count FROM marked GROUP BY ALL)
FROM counted QUALIFY row_number() OVER (PARTITION BY facet ORDER BY count DESC, value) <= 200 ORDER BY facet, count DESC, value

-- :name failures_of_same_map
-- The failures on the map that one lies on, by number.
SELECT failure_id, round FROM failure_state
WHERE x IS NOT NULL AND round = (SELECT round FROM failure_state WHERE failure_id = $failure_id) ORDER BY failure_id

-- :name failure_thumbnails
-- What small pictures of failures show.
SELECT failure_id, image, left(question, 500) AS question, answer, golds, choices, error_type, triage FROM failure_state WHERE failure_id IN (SELECT unnest($failure_ids::BIGINT[]))

-- :name failure_places
-- Where the failures of some rounds lie on their map.
SELECT failure_id, x, y FROM failure_state WHERE {in_round} AND x IS NOT NULL ORDER BY failure_id

-- :name places_mark
-- What changes when the map of some rounds does.
SELECT (sum(hash(failure_id, x, y)))::TEXT FROM failure_state WHERE {in_round} AND x IS NOT NULL

-- :name failure_points
-- The map of some rounds: places and colour keys; error type and dataset as places in the lists given, from 0.
SELECT failure_id::INTEGER AS failure_id, x, y, (list_position($error_types::TEXT[], coalesce(error_type, '')) - 1)::UTINYINT AS error_type,
       (list_position($datasets::TEXT[], dataset) - 1)::UTINYINT AS dataset, cluster_id::INTEGER AS cluster_id, round(100 * strict)::UTINYINT AS score,
       round::UTINYINT AS round
FROM failure_state WHERE {in_round} AND x IS NOT NULL ORDER BY failure_id

-- :name failure_point_names
-- The error types and datasets on the map of some rounds.
SELECT coalesce(list(DISTINCT coalesce(error_type, '') ORDER BY coalesce(error_type, '')), []) AS error_types,
       coalesce(list(DISTINCT dataset ORDER BY dataset), []) AS datasets
FROM failure_state WHERE {in_round} AND x IS NOT NULL

-- :name failures_shown
-- The failures that the filter lets through.
SELECT failure_id::INTEGER AS failure_id FROM failure_state WHERE {failure_filter} ORDER BY failure_id LIMIT $limit

-- :name failure_page
-- A page of failures for the grid: the most typical of their cluster first, then those without a place, newest last.
SELECT failure_id, image, left(question, 500) AS question, answer, golds, choices, dataset, error_type, triage, teachable, diagnosis_id IS NOT NULL AS diagnosed
FROM failure_state WHERE {failure_filter} ORDER BY distance NULLS LAST, failure_id LIMIT $limit OFFSET $offset

-- :name failure_tally
-- How many failures the filter lets through, by error type.
SELECT coalesce(error_type, '') AS error_type, count(*) AS failures, count(diagnosis_id) AS diagnosed, count(*) FILTER (teachable) AS teachable
FROM failure_state WHERE {failure_filter} GROUP BY ALL ORDER BY failures DESC

-- :name failure_card_of
-- One failure with all that is known of it, how many samples practise it, and its triage history.
SELECT f.*, c.title AS cluster, s.metric, s.threshold, s.title AS dataset_title,
       (SELECT count(*) FROM sample m WHERE m.failure_id = f.failure_id) AS samples,
       (SELECT list(m.sample_id) FROM sample_state m WHERE m.failure_id = f.failure_id) AS sample_ids,
       (SELECT count(*) FROM sample_state m WHERE m.failure_id = f.failure_id AND m.status IN ('approved', 'auto_approved')) AS approved,
       (SELECT list({'label': t.label, 'error_type': t.error_type, 'reviewer': t.reviewer, 'created_at': t.created_at} ORDER BY t.triage_id DESC)
        FROM standing_triage t WHERE t.failure_id = f.failure_id) AS history
FROM failure_card f JOIN dataset s ON s.name = f.dataset LEFT JOIN cluster c USING (cluster_id) WHERE f.failure_id = $failure_id
