-- Prompts that people write, what of proposals is dropped and why, and versions of prompts held against each other.

CREATE TABLE prompt_version (  -- every text that was saved or that a job ran with; version: hash of the text
    prompt TEXT NOT NULL, version TEXT NOT NULL, text TEXT NOT NULL, note TEXT NOT NULL, author TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now(),
    PRIMARY KEY (prompt, version));

CREATE TABLE dropped_proposal (  -- what the frontier model proposed against the rules; `place` is its place in the reply
    job_id BIGINT NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL, failure_id BIGINT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL,
    question TEXT NOT NULL, answer TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now(), PRIMARY KEY (job_id, key, place));

CREATE TABLE prompt_comparison (  -- what one version brought on one failure; `result` as curation/stages/compare_prompts.py has it
    job_id BIGINT NOT NULL, key TEXT NOT NULL, side TEXT NOT NULL, failure_id BIGINT NOT NULL, result JSON NOT NULL, replies TEXT[] NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now(), PRIMARY KEY (job_id, key));

ALTER TABLE sample ADD COLUMN difficulty TEXT;  -- asked for: as_seed, easier, harder
