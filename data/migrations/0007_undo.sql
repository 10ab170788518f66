-- A person's word on failures can be taken back, a corrected error type moves its failures at once, and titles are suggested.

ALTER TABLE triage ADD COLUMN batch_id TEXT;  -- what was said in one go; NULL: by itself
ALTER TABLE triage ADD COLUMN undoes TEXT;  -- the event that this one takes back

CREATE VIEW standing_triage AS  -- people's words that were not taken back
    SELECT * FROM triage WHERE undoes IS NULL AND event_id NOT IN (SELECT undoes FROM triage WHERE undoes IS NOT NULL);

CREATE OR REPLACE VIEW current_triage AS  -- the latest label and the latest corrected error type
    SELECT failure_id, arg_max(label, created_at) FILTER (label IS NOT NULL) AS label,
           arg_max(error_type, created_at) FILTER (error_type IS NOT NULL) AS error_type
    FROM standing_triage GROUP BY failure_id;

ALTER TABLE cluster_change ADD COLUMN batch_id TEXT;  -- the correction of an error type that it follows from; NULL: a person's own

ALTER TABLE cluster ADD COLUMN suggested_title TEXT;  -- the frontier model's, asked for by a person; it stands only if one takes it
