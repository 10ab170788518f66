-- :name review_page
-- A page of the grid.
SELECT {review_page_columns}
FROM (FROM ({review_queue}) ORDER BY key, sample_id LIMIT $limit OFFSET $offset) q JOIN sample_state t USING (sample_id) ORDER BY q.key, q.sample_id

-- :name review_page_newest
-- A page of the grid, newest first.
SELECT {review_page_columns}
FROM (SELECT t.sample_id FROM sample_state t WHERE {sample_filter} ORDER BY t.sample_id DESC LIMIT $limit OFFSET $offset) q
JOIN sample_state t USING (sample_id) ORDER BY t.sample_id DESC

-- :name review_page_columns
-- What the grid shows. A fragment.
t.sample_id, t.revision, t.question, t.choices, t.answer, t.image, t.status::TEXT AS status, t.error_type,
[f.filter FOR f IN $filters_known::STRUCT(filter TEXT, bit UTINYINT)[] IF (t.failed >> f.bit) & 1 = 1] AS failing

-- :name review_facets
-- Every facet's values with counts under all the other parts of the filter, so that a second value can be added. Samples that no facet tells apart
-- are counted together first.
WITH alike AS (
    SELECT t.status, t.error_type, t.dataset, t.route, t.round, t.failed, count(*) AS count
    FROM sample_state t WHERE {sample_in_rest} AND {sample_for_reviewer} GROUP BY ALL),
marked AS MATERIALIZED (
    SELECT t.*, {sample_in_status} AS s, {sample_in_error_type} AS e, {sample_in_dataset} AS d, {sample_in_route} AS r, {sample_in_round} AS n,
           {sample_in_failing} AS f
    FROM alike t)
SELECT facet, value, coalesce(count, 0)::BIGINT AS count FROM (
    SELECT 'status' AS facet, status::TEXT AS value, sum(count) FILTER (e AND d AND r AND n AND f) AS count FROM marked GROUP BY ALL
    UNION ALL SELECT 'error_type', error_type, sum(count) FILTER (s AND d AND r AND n AND f) FROM marked GROUP BY ALL
    UNION ALL SELECT 'dataset', dataset, sum(count) FILTER (s AND e AND r AND n AND f) FROM marked GROUP BY ALL
    UNION ALL SELECT 'route', route::TEXT, sum(count) FILTER (s AND e AND d AND n AND f) FROM marked GROUP BY ALL
    UNION ALL SELECT 'round', round::TEXT, sum(count) FILTER (s AND e AND d AND r AND f) FROM marked GROUP BY ALL
    UNION ALL SELECT 'failing', c.filter, sum(count) FILTER (s AND e AND d AND r AND n) FROM marked JOIN current_filter c ON (marked.failed >> c.bit) & 1 = 1
              WHERE c.enabled GROUP BY ALL)
ORDER BY facet, count DESC, value

-- :name review_cards
-- Samples as Focus shows them: the text as it stands and as it was proposed, and how the picture was drawn.
SELECT t.sample_id, t.revision, t.question, t.choices, t.answer, t.image, t.status::TEXT AS status, t.undecided::TEXT AS status_without_people,
       t.error_type, t.dataset, t.route::TEXT AS route, t.round, t.failure_id, t.decided_by, s.question AS first_question, s.choices AS first_choices,
       s.answer AS first_answer, s.image_prompt, s.picture_spec, s.answer_from, s.skill, coalesce(s.contrast, false) AS contrast, s.frontier, s.created_at, s.job_id, i.width, i.height, d.title AS dataset_title, d.answer_form, d.metric,
       coalesce('#' || f.cluster_id, f.error_type, t.error_type) AS "group", c.title AS cluster
FROM sample_state t JOIN sample s USING (sample_id) LEFT JOIN image i ON i.image = t.image LEFT JOIN dataset d ON d.name = t.dataset
LEFT JOIN failure_state f ON f.failure_id = t.failure_id LEFT JOIN cluster c ON c.cluster_id = f.cluster_id
WHERE t.sample_id IN (SELECT unnest($sample_ids::BIGINT[]))

-- :name review_verdicts
-- The verdict of each enabled filter on the current revision and picture of these samples (as current_verdict, which would weigh all); score and reason are NULL where it has none yet.
SELECT t.sample_id, f.filter, f.threshold, f.comparison::TEXT AS comparison, v.score, v.reason, v.error, v.created_at,
       CASE WHEN v.score IS NULL THEN NULL WHEN f.comparison = 'at_least' THEN v.score >= f.threshold ELSE v.score <= f.threshold END AS passes
FROM sample_state t CROSS JOIN current_filter f
LEFT JOIN (FROM verdict WHERE sample_id IN (SELECT unnest($sample_ids::BIGINT[]))
           QUALIFY row_number() OVER (PARTITION BY sample_id, revision, filter ORDER BY verdict_id DESC) = 1) v
    ON v.sample_id = t.sample_id AND v.revision = t.revision AND v.filter = f.filter AND v.verdict_id > t.drawn_verdict
WHERE f.enabled AND t.sample_id IN (SELECT unnest($sample_ids::BIGINT[])) ORDER BY t.sample_id, f.bit

-- :name review_drawings
-- How the pictures of these samples were drawn, latest first.
SELECT sample_id, image, generator, seed, recipe, created_at FROM drawing WHERE sample_id IN (SELECT unnest($sample_ids::BIGINT[])) ORDER BY drawing_id DESC

-- :name review_origins
-- The failures that these samples practise, with the diagnosis that each was made from.
SELECT s.sample_id, f.failure_id, e.image, e.question, e.choices, e.golds, e.external_id, p.answer, d.faulty_reasoning, d.skill, d.description, d.confidence
FROM sample s JOIN failure f USING (failure_id) JOIN prediction p USING (prediction_id) JOIN example e ON e.example_id = f.example_id
LEFT JOIN diagnosis d ON d.diagnosis_id = s.diagnosis_id WHERE s.sample_id IN (SELECT unnest($sample_ids::BIGINT[]))

-- :name review_siblings
-- Other samples of the same failures, at most twelve a failure.
SELECT failure_id, sample_id, image, left(question, 500) AS question, answer, status::TEXT AS status FROM sample_state
WHERE failure_id IN (SELECT unnest($failure_ids::BIGINT[])) QUALIFY row_number() OVER (PARTITION BY failure_id ORDER BY sample_id) <= 13
ORDER BY failure_id, sample_id

-- :name review_events
-- What people did with these samples, oldest first.
SELECT r.sample_id, r.action::TEXT AS action, r.reason, r.note, r.reviewer, r.revision, r.created_at, r.batch_id, u.undoes IS NOT NULL AS undone,
       r.review_id IN (SELECT review_id FROM adjudication) AS settles
FROM review r LEFT JOIN (SELECT DISTINCT undoes FROM review WHERE sample_id IN (SELECT unnest($sample_ids::BIGINT[]))) u ON u.undoes = r.review_id
WHERE r.sample_id IN (SELECT unnest($sample_ids::BIGINT[])) ORDER BY r.review_id

-- :name review_revisions
-- The edits of these samples, oldest first.
SELECT * FROM revision WHERE sample_id IN (SELECT unnest($sample_ids::BIGINT[])) ORDER BY sample_id, revision

-- :name pictures_for_handwritten
-- Pictures of train examples for a sample by hand, failures first; never of an eval split.
SELECT e.image, left(any_value(e.question), 500) AS question, any_value(e.dataset) AS dataset, min(f.failure_id) AS failure_id, any_value(d.error_type) AS error_type
FROM example e LEFT JOIN failure f USING (example_id) LEFT JOIN current_diagnosis d USING (failure_id)
WHERE e.split = 'train' AND ($failure_id IS NULL OR f.failure_id = $failure_id)
  AND ($search IS NULL OR list_bool_and([contains(lower(e.question), w) FOR w IN string_split(lower(trim($search::TEXT)), ' ')]))
  AND NOT EXISTS (FROM example x WHERE x.image = e.image AND x.split = 'eval')
GROUP BY e.image ORDER BY min(f.failure_id) NULLS LAST, e.image LIMIT $limit

-- :name failure_to_practise
-- What a sample by hand takes over from the failure that it practises.
SELECT f.failure_id, f.image, f.dataset, f.error_type, f.diagnosis_id FROM failure_card f WHERE f.failure_id = $failure_id

-- :name sample_by_key
-- A sample that was added before under a key.
SELECT sample_id FROM sample WHERE key = $key

-- :name dataset_names
-- The datasets that a sample may be written for.
SELECT name, title, answer_form, metric FROM dataset WHERE name NOT IN (SELECT dataset FROM removed_dataset) ORDER BY name

-- :name image_in_eval
-- How many eval examples show a picture.
SELECT count(*) FROM example WHERE image = $image AND split = 'eval'
