-- Experiments: arms that differ only in what is trained on, over several seeds, each measured on the same eval examples.

CREATE TABLE experiment (  -- one launch of the stage `experiment`; plan: what each arm was asked for and had (curation/experiments/planning.py)
    job_id BIGINT PRIMARY KEY, round INTEGER NOT NULL, checkpoint_id BIGINT NOT NULL, arms TEXT[] NOT NULL, seeds INTEGER[] NOT NULL,
    samples INTEGER NOT NULL, replay INTEGER NOT NULL, steps INTEGER NOT NULL, plan JSON NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE experiment_run (  -- an arm trained with one seed and measured; diverged: why its figures don't count
    job_id BIGINT NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL, samples INTEGER NOT NULL, replay INTEGER NOT NULL, steps INTEGER NOT NULL,
    first_loss DOUBLE, last_loss DOUBLE, diverged TEXT, train_seconds DOUBLE NOT NULL, eval_seconds DOUBLE NOT NULL, threads INTEGER NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now(), PRIMARY KEY (job_id, arm, seed));

CREATE TABLE experiment_answer (  -- what a run answered to an eval example; error: it could not be asked
    job_id BIGINT NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL, example_id BIGINT NOT NULL, answer TEXT, strict DOUBLE, lenient DOUBLE,
    error TEXT);

CREATE TABLE experiment_row (  -- what a run was trained on; source: sample, real (a train example with its gold answer) or replay
    job_id BIGINT NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL, source TEXT NOT NULL, id BIGINT NOT NULL, revision INTEGER);

-- Samples that were made without a failure, for an experiment's arm, are of round 0: they are never reviewed, approved or trained on elsewhere.
ALTER TABLE sample ADD COLUMN example_id BIGINT;  -- of such a sample: the train example that it was made from
ALTER TABLE dropped_proposal ALTER COLUMN failure_id DROP NOT NULL;
