-- :name taxonomy_latest
-- The taxonomy in force; no row where nobody has edited it.
SELECT version, error_types, change, author, created_at FROM taxonomy ORDER BY version DESC LIMIT 1

-- :name taxonomy_version
-- Its version; 1 where nobody has edited it.
SELECT coalesce(max(version), 1)::INTEGER FROM taxonomy

-- :name taxonomy_versions
-- All versions, the latest first.
SELECT version, error_types, change, author, created_at FROM taxonomy ORDER BY version DESC

-- :name error_type_aliases
-- What names that were renamed or merged are called now.
SELECT name, current FROM error_type_alias ORDER BY name

-- :name error_type_aliases_clear
-- Takes the aliases away before they are written anew.
DELETE FROM error_type_alias

-- :name kinds_follow_types
-- Kinds of questions that were tagged with a name that is gone get the present one.
UPDATE kind SET error_type = y.current FROM error_type_alias y WHERE y.name = kind.error_type

-- :name clusters_follow_types
-- Clusters of an error type whose name is gone get the present one.
UPDATE cluster SET error_type = y.current FROM error_type_alias y WHERE y.name = cluster.error_type

-- :name assignments_follow_types
-- Examples that are assigned to a name that is gone get the present one.
UPDATE assignment SET error_type = y.current FROM error_type_alias y WHERE y.name = assignment.error_type

-- :name error_type_usage
-- What bears each error type: failures, people's corrections that stand, samples, clusters.
WITH corrected AS (
    SELECT coalesce(y.current, t.error_type) AS error_type, count(*) AS corrections
    FROM (SELECT failure_id, arg_max(error_type, triage_id) AS error_type FROM standing_triage WHERE error_type IS NOT NULL GROUP BY failure_id) t
    LEFT JOIN error_type_alias y ON y.name = t.error_type GROUP BY 1),
failing AS (SELECT error_type, count(*) AS failures FROM failure_state WHERE error_type IS NOT NULL GROUP BY 1),
made AS (SELECT error_type, count(*) AS samples FROM sample_state GROUP BY 1),
grouped AS (SELECT error_type, count(*) AS clusters FROM cluster GROUP BY 1)
SELECT error_type, coalesce(failures, 0) AS failures, coalesce(corrections, 0) AS corrections, coalesce(samples, 0) AS samples, coalesce(clusters, 0) AS clusters
FROM failing FULL JOIN corrected USING (error_type) FULL JOIN made USING (error_type) FULL JOIN grouped USING (error_type) ORDER BY error_type
