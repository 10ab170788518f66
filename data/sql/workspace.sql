-- :name workspace_now
-- Where the workspace stands: round, checkpoint, and a count for each page of the rail.
WITH now AS (SELECT r.round, c.name AS checkpoint FROM round r JOIN checkpoint c USING (checkpoint_id) ORDER BY r.round DESC LIMIT 1)
SELECT coalesce((SELECT round FROM now), 0) AS round, (SELECT checkpoint FROM now) AS checkpoint,
       (SELECT count(*) FROM failure WHERE round = (SELECT round FROM now)) AS failures,
       (SELECT count(*) FROM sample_state WHERE round = (SELECT round FROM now)) AS samples,
       (SELECT count(*) FROM sample_state WHERE status = 'pending') AS pending,
       (SELECT count(*) FROM sample_state WHERE round = (SELECT round FROM now) AND status IN ('approved', 'auto_approved')) AS approved,
       (SELECT count(*) FROM dataset) AS datasets, (SELECT count(*) FROM checkpoint) AS checkpoints,
       (SELECT count(*) FROM job WHERE status IN ('running', 'queued')) AS jobs, (SELECT epoch_us(max(ended_at)) FROM job) AS ended

-- :name backup_mark
-- What changes where somebody decided something, a job ended, or something was paid: nothing of that, no need of another backup.
SELECT concat_ws(' ', (SELECT max(review_id) FROM review), (SELECT epoch_us(max(ended_at)) FROM job), (SELECT count(*) FROM reply), (SELECT max(entry) FROM setting),
                 (SELECT max(setting_id) FROM filter_setting), (SELECT count(*) FROM triage)) AS mark

-- :name spend_total
-- What all paid replies have cost (NULL while nothing is priced), and how many have no price.
SELECT sum(cost_usd) AS usd, count(*) FILTER (cost_usd IS NULL) AS unpriced FROM reply

-- :name image_known
-- Whether the store knows a picture.
SELECT 1 FROM image WHERE image = $image
