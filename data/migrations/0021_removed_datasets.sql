-- Datasets that people removed. Their examples and failures lie aside under their own numbers, so that nothing counts or shows them, until
-- they are restored. Answers, diagnoses, labels, samples, decisions and runs stay where they are: nothing is deleted.
CREATE TABLE removed_dataset (dataset TEXT PRIMARY KEY, author TEXT NOT NULL, removed_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE removed_example (
    example_id BIGINT PRIMARY KEY, dataset TEXT NOT NULL, external_id TEXT NOT NULL, split split NOT NULL, image TEXT NOT NULL,
    question TEXT NOT NULL, choices TEXT[] NOT NULL, golds TEXT[] NOT NULL, kind TEXT, created_at TIMESTAMPTZ, position BIGINT);
CREATE TABLE removed_failure (
    failure_id BIGINT PRIMARY KEY, prediction_id BIGINT NOT NULL, checkpoint_id BIGINT NOT NULL, example_id BIGINT NOT NULL, round INTEGER NOT NULL,
    created_at TIMESTAMPTZ);
