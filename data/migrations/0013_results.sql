-- What results lead to: nearest training samples, release verdicts, accepted splits of a budget; and the taxonomy, edited.

CREATE SEQUENCE release_verdict_ids; CREATE SEQUENCE budget_split_ids;

CREATE TABLE nearest_sample (  -- what a checkpoint was trained on that is most like an eval example; text and image are cosines, score their mean
    checkpoint_id BIGINT NOT NULL, example_id BIGINT NOT NULL, place UTINYINT NOT NULL, sample_id BIGINT NOT NULL, revision INTEGER NOT NULL,
    text FLOAT NOT NULL, image FLOAT NOT NULL, score FLOAT NOT NULL, job_id BIGINT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE release_verdict (  -- log: the release gate on a comparison, with the rule that it was given by
    verdict_id BIGINT PRIMARY KEY DEFAULT nextval('release_verdict_ids'), before TEXT NOT NULL, after TEXT NOT NULL, score TEXT NOT NULL,
    examples BIGINT NOT NULL, rule JSON NOT NULL, passed BOOLEAN NOT NULL, not_shown TEXT[] NOT NULL, author TEXT NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE budget_split (  -- log; the latest counts: quotas of samples by error type for launches of generate ({}: none)
    split_id BIGINT PRIMARY KEY DEFAULT nextval('budget_split_ids'), round INTEGER NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
    quotas JSON NOT NULL, recommended JSON NOT NULL, author TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE taxonomy (  -- log of whole versions; the latest counts. Version 1 is what the program comes with, kept at the first edit
    version INTEGER PRIMARY KEY, error_types JSON NOT NULL, change JSON NOT NULL, author TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE error_type_alias (  -- names that logs hold and that were renamed or merged: what they are called now. Follows from taxonomy
    name TEXT PRIMARY KEY, current TEXT NOT NULL);
