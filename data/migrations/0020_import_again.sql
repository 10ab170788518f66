-- A dataset that is imported again: what was replaced is kept. Logs; nothing is read from them but by people.
CREATE TABLE example_change (  -- what an import put in an example's place
    job_id BIGINT NOT NULL, example_id BIGINT NOT NULL, question TEXT NOT NULL, choices TEXT[] NOT NULL, golds TEXT[] NOT NULL,
    image TEXT NOT NULL, kind TEXT, asks_anew BOOLEAN NOT NULL, PRIMARY KEY (job_id, example_id));
CREATE TABLE example_before (
    job_id BIGINT NOT NULL, example_id BIGINT NOT NULL, question TEXT NOT NULL, choices TEXT[] NOT NULL, golds TEXT[] NOT NULL,
    image TEXT NOT NULL, kind TEXT, created_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE prediction_before (  -- answers to questions that are no longer asked
    job_id BIGINT NOT NULL, prediction_id BIGINT NOT NULL, checkpoint_id BIGINT NOT NULL, example_id BIGINT NOT NULL, answer TEXT NOT NULL,
    strict DOUBLE NOT NULL, lenient DOUBLE NOT NULL, created_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE rescoring (  -- scores that changed with golds or metric
    job_id BIGINT NOT NULL, prediction_id BIGINT NOT NULL, strict_before DOUBLE NOT NULL, lenient_before DOUBLE NOT NULL,
    strict DOUBLE NOT NULL, lenient DOUBLE NOT NULL, created_at TIMESTAMPTZ DEFAULT now(), PRIMARY KEY (job_id, prediction_id));
CREATE TABLE failure_before (  -- failures that are none any more
    job_id BIGINT NOT NULL, failure_id BIGINT NOT NULL, prediction_id BIGINT NOT NULL, checkpoint_id BIGINT NOT NULL,
    example_id BIGINT NOT NULL, round INTEGER NOT NULL, created_at TIMESTAMPTZ DEFAULT now());
