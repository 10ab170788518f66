-- :name job_id_new
-- A number for a job that is about to be launched.
SELECT nextval('job_ids')

-- :name job
-- One job.
SELECT * FROM job WHERE job_id = $job_id

-- :name jobs
-- The latest jobs, newest first.
SELECT * FROM job ORDER BY job_id DESC LIMIT $limit

-- :name jobs_by_status
-- All jobs in one of some statuses, oldest first.
SELECT * FROM job WHERE list_contains($statuses::TEXT[], status::TEXT) ORDER BY job_id

-- :name job_move
-- Moves a job to another status, if it is in one that allows it; returns its number if it was. $seconds: how long it was at work; NULL: by the clock.
UPDATE job SET
    status = $status::job_status, message = $message, pid = $pid, pid_started = $pid_started,
    started_at = CASE WHEN $status = 'running' THEN now() ELSE started_at END,
    ended_at = CASE WHEN $status IN ('queued', 'running') THEN NULL ELSE now() END,
    seconds = CASE WHEN status = 'running' THEN coalesce(seconds, 0) + greatest(coalesce($seconds, epoch(now()) - epoch(started_at)), 0) ELSE seconds END
WHERE job_id = $job_id AND list_contains($allowed::TEXT[], status::TEXT)
RETURNING job_id

-- :name job_offset
-- How far a job's results have been read.
SELECT results_offset FROM job WHERE job_id = $job_id

-- :name job_collected
-- Moves on the offset after results were inserted; `failed` counts what is recorded as an error.
UPDATE job SET results_offset = $results_offset, done = done + $good,
    failed = (SELECT count(*) FROM row_error e WHERE e.job_id = $job_id)
WHERE job_id = $job_id

-- :name job_spend
-- Sums what a job has paid; NULL while none of its replies has a price.
UPDATE job SET spend_usd = (SELECT sum(cost_usd) FROM reply r WHERE r.job_id = $job_id) WHERE job_id = $job_id

-- :name job_options
-- Changes what a job was launched with: its cap.
UPDATE job SET options = $options::JSON WHERE job_id = $job_id

-- :name row_errors_resolved
-- Takes away the errors of rows that have a good result by now.
DELETE FROM row_error WHERE job_id = $job_id AND list_contains($keys::TEXT[], key)

-- :name row_errors
-- Errors of a job, a page at a time; a stage may name the paid reply by its key.
SELECT e.key, e.error, coalesce(r.body, e.reply) AS reply, e.created_at FROM row_error e LEFT JOIN reply r ON r.key = e.reply
WHERE e.job_id = $job_id AND e.key > $after ORDER BY e.key LIMIT $limit

-- :name journal_position
-- Up to where the journal of paid replies has been copied.
SELECT value::BIGINT FROM setting WHERE name = 'journal position' ORDER BY entry DESC LIMIT 1

-- :name chain_of_job
-- What follows a job by itself; the latest of its name counts.
SELECT value FROM setting WHERE name = $name ORDER BY entry DESC LIMIT 1

-- :name chains_waiting
-- Jobs that are done and whose chain has launched nothing yet.
WITH chain AS (SELECT name, value FROM setting WHERE starts_with(name, 'chain of job ')
               QUALIFY row_number() OVER (PARTITION BY name ORDER BY entry DESC) = 1)
SELECT j.job_id FROM chain c JOIN job j ON c.name = 'chain of job ' || j.job_id
WHERE j.status = 'done' AND c.value->>'next' IS NULL AND c.value->>'note' IS NULL ORDER BY 1

-- :name samples_of_job
-- The samples that a job has made; with $undrawn those that still wait for their picture.
SELECT s.sample_id FROM sample s JOIN sample_state t USING (sample_id)
WHERE s.job_id = $job_id AND (t.image IS NULL OR NOT coalesce($undrawn, false)) ORDER BY s.sample_id

-- :name checkpoint_of_job
-- The name of the checkpoint that a finetune made.
SELECT c.name FROM run r JOIN checkpoint c ON c.checkpoint_id = r.checkpoint_id WHERE r.job_id = $job_id
