-- :name layouts
-- The cluster jobs whose maps a round has shown, oldest first.
SELECT job_id, adds FROM layout WHERE round = $round ORDER BY layout_id

-- :name layout_job
-- The job whose map a round shows; NULL before the first.
SELECT max_by(job_id, layout_id) AS job_id FROM layout WHERE round = $round

-- :name places_job
-- The job that computed the map of a round, from the places themselves.
SELECT max(job_id) AS job_id FROM place WHERE failure_id IN (SELECT failure_id FROM failure WHERE round = $round)

-- :name layout_adopt
-- Takes the places of a round as what their job found, where no layout is known yet.
INSERT INTO grouped SELECT $job_id, failure_id, cluster_id FROM place WHERE failure_id IN (SELECT failure_id FROM failure WHERE round = $round)

-- :name assignments_adopt
-- The same for the examples that are assigned to clusters.
UPDATE assignment SET found_cluster_id = cluster_id WHERE round = $round AND found_cluster_id IS NULL

-- :name titles_adopt
-- The same for the clusters' titles.
UPDATE cluster SET found_title = title WHERE round = $round AND found_title IS NULL

-- :name grouped_of_job
-- What a job found, by failure.
SELECT failure_id, cluster_id FROM grouped WHERE job_id = $job_id ORDER BY failure_id

-- :name grouped_forget
-- Takes away what a job found, before it is put there again.
DELETE FROM grouped WHERE job_id = $job_id

-- :name places_of_round
-- Which cluster the failures of a round stand in.
SELECT failure_id, cluster_id FROM place WHERE failure_id IN (SELECT failure_id FROM failure WHERE round = $round) ORDER BY failure_id

-- :name places_regroup
-- Puts failures into other clusters; their places on the map stay.
UPDATE place SET cluster_id = g.cluster_id
FROM (SELECT unnest($failure_ids::BIGINT[]) AS failure_id, unnest($cluster_ids::BIGINT[]) AS cluster_id) g WHERE place.failure_id = g.failure_id

-- :name distances_set
-- How far failures are from the centre of their cluster.
UPDATE place SET distance = g.distance
FROM (SELECT unnest($failure_ids::BIGINT[]) AS failure_id, unnest($distances::FLOAT[]) AS distance) g WHERE place.failure_id = g.failure_id

-- :name assignments_regroup
-- Lets the examples of a round follow: those that a change names, then those whose cluster has an heir.
UPDATE assignment SET cluster_id = s.cluster_id FROM (
    SELECT a.example_id, CASE WHEN n.cluster_id IS NOT NULL THEN n.cluster_id ELSE coalesce(h.heir_id, a.found_cluster_id) END AS cluster_id
    FROM assignment a
    LEFT JOIN (SELECT unnest($cluster_ids::BIGINT[]) AS cluster_id, unnest($heir_ids::BIGINT[]) AS heir_id) h ON h.cluster_id = a.found_cluster_id
    LEFT JOIN (SELECT unnest($example_ids::BIGINT[]) AS example_id, unnest($named_ids::BIGINT[]) AS cluster_id) n ON n.example_id = a.example_id
    WHERE a.round = $round) s
WHERE assignment.round = $round AND assignment.example_id = s.example_id AND assignment.cluster_id IS DISTINCT FROM s.cluster_id

-- :name cluster_titles
-- Writes the titles that stand: people's, else what the frontier model gave.
UPDATE cluster SET title = coalesce(t.title, found_title) FROM (
    SELECT c.cluster_id, g.title FROM cluster c
    LEFT JOIN (SELECT unnest($cluster_ids::BIGINT[]) AS cluster_id, unnest($titles::TEXT[]) AS title) g USING (cluster_id) WHERE c.round = $round) t
WHERE cluster.cluster_id = t.cluster_id AND cluster.title IS DISTINCT FROM coalesce(t.title, found_title)

-- :name clusters_known
-- All clusters that a round has had, shown or not.
SELECT cluster_id, job_id, error_type, title, found_title, made_by FROM cluster WHERE round = $round ORDER BY cluster_id

-- :name cluster_changes
-- The log of people's changes to the clusters of a round, oldest first; `undone` where a later event takes one back.
SELECT c.*, EXISTS (FROM cluster_change u WHERE u.undoes = c.change_id) AS undone FROM cluster_change c WHERE round = $round ORDER BY change_id

-- :name cluster_change_by_event
-- A change by the event that the browser gave it.
SELECT * FROM cluster_change WHERE event_id = $event_id

-- :name cluster_history
-- The latest changes to the clusters of a round, with the clusters' titles in place of long lists of failures; not those that only follow from a
-- corrected error type.
SELECT c.change_id, c.action::TEXT AS action, c.reviewer, c.created_at, c.title, len(c.failure_ids) AS failures, c.undoes,
       (SELECT list(coalesce(k.found_title, k.title) ORDER BY k.cluster_id) FROM cluster k WHERE list_contains(c.cluster_ids, k.cluster_id)) AS titles,
       (SELECT coalesce(k.found_title, k.title) FROM cluster k WHERE k.cluster_id = c.into_id) AS into_title,
       EXISTS (FROM cluster_change u WHERE u.undoes = c.change_id) AS undone
FROM cluster_change c WHERE c.round = $round AND c.action <> 'undo' AND c.batch_id IS NULL ORDER BY c.change_id DESC LIMIT $limit

-- :name cluster_change_count
-- How many events the log of a round has: the map changes with it.
SELECT count(*) FROM cluster_change WHERE round = $round

-- :name cluster_typical
-- The members of a cluster nearest its centre.
SELECT l.failure_id, e.image, e.question, p.answer, e.golds, e.choices, l.distance
FROM place l JOIN failure f USING (failure_id) JOIN prediction p USING (prediction_id) JOIN example e ON e.example_id = f.example_id
WHERE l.cluster_id = $cluster_id ORDER BY l.distance NULLS LAST, l.failure_id LIMIT $limit

-- :name examples_of_failures
-- The examples that failures are of.
SELECT example_id FROM failure WHERE failure_id IN (SELECT unnest($failure_ids::BIGINT[]))

-- :name examples_of_clusters
-- The examples that are assigned to clusters.
SELECT example_id, cluster_id FROM assignment WHERE round = $round AND list_contains($cluster_ids::BIGINT[], cluster_id) ORDER BY example_id

-- :name error_types_of_failures
-- The error types of failures, the most frequent first.
SELECT error_type, count(*) AS failures FROM failure_card WHERE failure_id IN (SELECT unnest($failure_ids::BIGINT[])) AND error_type IS NOT NULL
GROUP BY 1 ORDER BY 2 DESC, 1

-- :name cluster_quality_of_round
-- Evidence by cluster: how stable it is, what the job called it, and who made it. What people merged is another cluster than was drawn again.
WITH merged AS (
    SELECT m.into_id AS cluster_id, max_by(m.reviewer, m.change_id) AS reviewer FROM cluster_change m
    WHERE m.round = $round AND m.action = 'merge' AND NOT EXISTS (FROM cluster_change u WHERE u.undoes = m.change_id) GROUP BY 1)
SELECT c.cluster_id, c.found_title, coalesce(c.made_by, m.reviewer) AS made_by, CASE WHEN m.reviewer IS NULL THEN q.stability END AS stability,
       CASE WHEN m.reviewer IS NULL THEN q.dissolved END AS dissolved, q.resamples, c.suggested_title
FROM cluster c LEFT JOIN cluster_quality q USING (cluster_id) LEFT JOIN merged m USING (cluster_id)
WHERE c.round = $round AND EXISTS (FROM place l WHERE l.cluster_id = c.cluster_id) ORDER BY c.cluster_id

-- :name error_types_checked
-- The frontier model's error type and the latest one of a person, for the failures of a round whose error type people corrected. The cluster is the one that
-- the failure was in before a correction moved it, as far as that one is still shown: the correction speaks against it.
WITH came AS (
    SELECT unnest(failure_ids) AS failure_id, cluster_ids[1] AS cluster_id, change_id FROM cluster_change c
    WHERE round = $round AND batch_id IS NOT NULL AND action = 'move' AND NOT EXISTS (FROM cluster_change u WHERE u.undoes = c.change_id)),
source AS (
    SELECT failure_id, arg_min(cluster_id, change_id) AS cluster_id FROM came
    WHERE cluster_id IN (SELECT cluster_id FROM place) GROUP BY failure_id)
SELECT f.failure_id, coalesce(m.cluster_id, l.cluster_id) AS cluster_id, coalesce(x.current, d.error_type) AS frontier,
       coalesce(y.current, t.error_type) AS person
FROM (SELECT failure_id, arg_max(error_type, triage_id) AS error_type FROM standing_triage WHERE error_type IS NOT NULL GROUP BY failure_id) t
JOIN failure f USING (failure_id)
JOIN (SELECT failure_id, arg_max(error_type, diagnosis_id) AS error_type FROM diagnosis GROUP BY failure_id) d USING (failure_id)
LEFT JOIN source m USING (failure_id) LEFT JOIN error_type_alias x ON x.name = d.error_type LEFT JOIN error_type_alias y ON y.name = t.error_type
LEFT JOIN place l USING (failure_id) WHERE f.round = $round ORDER BY f.failure_id

-- :name cluster_probe
-- How many diagnosed failures and error types a round has, how many have no place yet, and some of them for an estimate.
SELECT count(*) AS failures, count(DISTINCT error_type) AS types, count(*) FILTER (cluster_id IS NULL) AS new
FROM failure_state WHERE round = $round AND error_type IS NOT NULL

-- :name cluster_probe_rows
-- Some diagnosed failures of a round, for an estimate.
SELECT failure_id, question, golds, answer, error_type, faulty_reasoning, dataset FROM failure_card
WHERE round = $round AND error_type IS NOT NULL ORDER BY failure_id LIMIT 20

-- :name new_failures_to_cluster
-- Diagnosed failures of a round that the map doesn't show yet.
SELECT c.failure_id, c.example_id, c.image, c.question, c.golds, c.answer, c.error_type, c.faulty_reasoning, c.dataset, {named_kind} AS named
FROM failure_card c JOIN example e USING (example_id) LEFT JOIN kind k USING (example_id)
WHERE c.round = $round AND c.error_type IS NOT NULL AND c.cluster_id IS NULL ORDER BY c.failure_id

-- :name title_suggest
-- Keeps the frontier model's suggestion for the title of a cluster.
UPDATE cluster SET suggested_title = $title WHERE cluster_id = $cluster_id

-- :name title_of_members
-- What a title is asked from. A fragment.
SELECT s.cluster_id, c.error_type AS cluster_type, s.question, s.golds, s.answer, d.faulty_reasoning, s.distance, s.failure_id
FROM failure_state s JOIN cluster c ON c.cluster_id = s.cluster_id JOIN diagnosis d ON d.diagnosis_id = s.diagnosis_id

-- :name title_members
-- Members of clusters from their centres to their edges, evenly.
WITH ranked AS (
    SELECT *, row_number() OVER (PARTITION BY cluster_id ORDER BY distance NULLS LAST, failure_id) - 1 AS n,
           greatest(1, count(*) OVER (PARTITION BY cluster_id) // $most::INTEGER) AS step
    FROM ({title_of_members}) WHERE list_contains($cluster_ids::BIGINT[], cluster_id))
SELECT * FROM ranked WHERE n % step = 0 AND n // step < $most::INTEGER ORDER BY cluster_id, n

-- :name title_neighbours
-- The most typical members of the clusters that lie nearest to some on the map.
WITH middle AS (SELECT round, cluster_id, avg(x) AS x, avg(y) AS y FROM failure_state WHERE cluster_id IS NOT NULL GROUP BY ALL),
near AS (
    SELECT a.cluster_id AS beside, b.cluster_id FROM middle a JOIN middle b ON b.round = a.round AND b.cluster_id <> a.cluster_id
    WHERE list_contains($cluster_ids::BIGINT[], a.cluster_id)
    QUALIFY row_number() OVER (PARTITION BY a.cluster_id ORDER BY (a.x - b.x) ** 2 + (a.y - b.y) ** 2) <= $clusters::INTEGER)
SELECT near.beside, m.* FROM near JOIN ({title_of_members}) m ON m.cluster_id = near.cluster_id
QUALIFY row_number() OVER (PARTITION BY near.beside, m.cluster_id ORDER BY m.distance NULLS LAST, m.failure_id) <= $most::INTEGER
ORDER BY near.beside, m.cluster_id, m.distance NULLS LAST, m.failure_id

-- :name places_to_extend
-- The map as it is, for placing new failures beside the old ones; the clusters are those that the jobs found.
SELECT l.failure_id, l.x, l.y, g.cluster_id, c.error_type AS cluster_type, c.kind AS cluster_kind, s.error_type
FROM place l JOIN grouped g ON g.failure_id = l.failure_id AND g.job_id = l.job_id JOIN cluster c ON c.cluster_id = g.cluster_id
JOIN failure_state s ON s.failure_id = l.failure_id WHERE s.round = $round ORDER BY l.failure_id

-- :name new_examples_to_assign
-- Examples without a cluster in a round, with the error type that their kind belongs to, as far as is known.
SELECT e.example_id, e.image, e.question, e.kind, k.error_type, {named_kind} AS named FROM example e LEFT JOIN kind k USING (example_id)
WHERE NOT EXISTS (FROM assignment a WHERE a.example_id = e.example_id AND a.round = $round) ORDER BY e.example_id

-- :name clusters_made_by_people
-- Clusters of a round that people made or merged, as far as they have members.
SELECT DISTINCT l.cluster_id FROM place l JOIN failure f USING (failure_id)
WHERE f.round = $round AND (EXISTS (FROM cluster c WHERE c.cluster_id = l.cluster_id AND c.made_by IS NOT NULL)
                            OR EXISTS (FROM cluster_change m WHERE m.action = 'merge' AND m.into_id = l.cluster_id)) ORDER BY 1

-- :name quality_set
-- The evidence of the clusters that a job found.
INSERT OR REPLACE INTO cluster_quality
SELECT c.cluster_id, q.stability, q.dissolved, $resamples FROM cluster c
JOIN (SELECT unnest($names::TEXT[]) AS name, unnest($stability::DOUBLE[]) AS stability, unnest($dissolved::DOUBLE[]) AS dissolved) q ON q.name = c.name
WHERE c.job_id = $job_id

-- :name members_of_clusters
-- The failures that stand in clusters, with their places.
SELECT l.failure_id, l.x, l.y FROM place l JOIN failure f USING (failure_id)
WHERE f.round = $round AND list_contains($cluster_ids::BIGINT[], l.cluster_id) ORDER BY l.failure_id

-- :name clusters_of_failures
-- The clusters that failures stand in.
SELECT DISTINCT cluster_id FROM place WHERE failure_id IN (SELECT unnest($failure_ids::BIGINT[])) ORDER BY cluster_id

-- :name rounds_of
-- The rounds of clusters, failures and changes.
SELECT DISTINCT round FROM (
    SELECT round FROM cluster WHERE list_contains($cluster_ids::BIGINT[], cluster_id)
    UNION ALL SELECT round FROM failure WHERE failure_id IN (SELECT unnest($failure_ids::BIGINT[]))
    UNION ALL SELECT round FROM cluster_change WHERE change_id = $change_id) ORDER BY round
