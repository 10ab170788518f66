-- :name slice_sums
-- What lift needs of every slice (curation/failures/slices.py): train examples and failures in it, and sums over images for the clustered variance.
-- `level` says which dimensions a row is over: a bit each, set where the dimension is left open. y of n fail in the slice, rest_y of rest_n of
-- the same image outside it.
WITH item AS MATERIALIZED (
    SELECT hash(e.image) AS image, e.dataset, coalesce(e.kind, '') AS kind, coalesce(a.error_type, '') AS assigned, {length_of_answer} AS length, opening,
           (strict < threshold)::BIGINT AS failed, strict, lenient
    FROM (SELECT p.prediction_id, p.example_id, p.strict, p.lenient, e.image, e.dataset, coalesce(e.kind, k.name) AS kind, d.threshold, r.round, {words_of_answer} AS answer_words,
                 {opening_of_question} AS opening
          FROM prediction p JOIN round r USING (checkpoint_id) JOIN example e USING (example_id) JOIN dataset d ON d.name = e.dataset
               LEFT JOIN kind k ON k.example_id = e.example_id
          WHERE e.split = 'train' AND list_contains($round::TEXT[], r.round::TEXT)) e
    LEFT JOIN assignment a ON a.example_id = e.example_id AND a.round = e.round
    WHERE NOT $without_label_errors OR e.prediction_id NOT IN (SELECT prediction_id FROM failure_state WHERE label_error)),
whole AS (SELECT image, count(*) AS n, sum(failed)::BIGINT AS y FROM item GROUP BY image),
part AS (
    SELECT image, dataset, kind, assigned, opening, length, grouping_id(assigned, kind, dataset, opening, length) AS level, count(*) AS n,
           sum(failed)::BIGINT AS y, sum(strict) AS strict, sum(lenient) AS lenient
    FROM item GROUP BY GROUPING SETS (
        (image), (image, dataset), (image, kind), (image, assigned), (image, opening), (image, length), (image, dataset, kind), (image, dataset, assigned),
        (image, dataset, opening), (image, dataset, length), (image, kind, assigned), (image, kind, opening), (image, kind, length),
        (image, assigned, opening), (image, assigned, length), (image, opening, length))),
beside AS (
    SELECT p.* EXCLUDE (n, y), p.n::DOUBLE AS n, p.y::DOUBLE AS y, (w.n - p.n)::DOUBLE AS rest_n, (w.y - p.y)::DOUBLE AS rest_y
    FROM part p JOIN whole w USING (image))
SELECT level, dataset, kind, assigned, opening, length, count(*) AS images, sum(n) AS n, sum(y) AS y, sum(strict) AS strict, sum(lenient) AS lenient,
       sum(y * y) AS yy, sum(y * n) AS yn, sum(n * n) AS nn, sum(rest_y * rest_y) AS rest_yy, sum(rest_y * rest_n) AS rest_yn, sum(rest_n * rest_n) AS rest_nn,
       sum(y * rest_y) AS y_rest_y, sum(y * rest_n) AS y_rest_n, sum(n * rest_y) AS n_rest_y, sum(n * rest_n) AS n_rest_n
FROM beside GROUP BY level, dataset, kind, assigned, opening, length HAVING sum(n) >= $least ORDER BY level, n DESC

-- :name label_error_mark
-- What changes when other failures count as label errors.
SELECT hash(count(*), bit_xor(hash(prediction_id)))::TEXT FROM failure_state WHERE label_error

-- :name views
-- The views that people saved of a page, by name.
SELECT view_id, name, query, author, created_at FROM saved_view WHERE page = $page ORDER BY lower(name), view_id

-- :name view_of
-- One saved view.
SELECT view_id, page, name, query, author, created_at FROM saved_view WHERE view_id = $view_id

-- :name view_delete
-- Takes a saved view away.
DELETE FROM saved_view WHERE view_id = $view_id RETURNING view_id
