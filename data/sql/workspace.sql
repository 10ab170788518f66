-- :name workspace_now
-- Where the workspace stands: round, checkpoint, and a count for each page of the rail.
WITH now AS (SELECT r.round, c.name AS checkpoint FROM round r JOIN checkpoint c USING (checkpoint_id) ORDER BY r.round DESC LIMIT 1),
     of_samples AS (SELECT count(*) FILTER (now_) AS samples, count(*) FILTER (status = 'pending') AS pending,
                           count(*) FILTER (now_ AND status IN ('approved', 'auto_approved')) AS approved
                    FROM (SELECT status, round = (SELECT round FROM now) AS now_ FROM sample_state)),
     of_jobs AS (SELECT count(*) FILTER (status IN ('running', 'queued')) AS jobs, epoch_us(max(ended_at)) AS ended FROM job)
SELECT coalesce((SELECT round FROM now), 0) AS round, (SELECT checkpoint FROM now) AS checkpoint,
       (SELECT count(*) FROM failure WHERE round = (SELECT round FROM now)) AS failures, samples, pending, approved,
       (SELECT count(*) FROM dataset) - (SELECT count(*) FROM removed_dataset) AS datasets, (SELECT count(*) FROM checkpoint) AS checkpoints, jobs, ended
FROM of_samples, of_jobs

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
