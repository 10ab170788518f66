-- What counts is told by the order of the logs: a clock can be set back. A log that others are compared with draws a number from their sequences.

CREATE SEQUENCE drawing_ids; CREATE SEQUENCE triage_ids; CREATE SEQUENCE setting_entries; CREATE SEQUENCE assignment_event_ids;

-- review_mark, verdict_mark: reviews and verdicts with greater numbers came after it.
ALTER TABLE drawing ADD COLUMN drawing_id BIGINT DEFAULT nextval('drawing_ids');
ALTER TABLE drawing ADD COLUMN review_mark BIGINT DEFAULT nextval('review_ids');
ALTER TABLE drawing ADD COLUMN verdict_mark BIGINT DEFAULT nextval('verdict_ids');
ALTER TABLE reveal ADD COLUMN review_mark BIGINT DEFAULT nextval('review_ids');
ALTER TABLE auto_rule ADD COLUMN review_mark BIGINT DEFAULT nextval('review_ids');
ALTER TABLE triage ADD COLUMN triage_id BIGINT DEFAULT nextval('triage_ids');
ALTER TABLE setting ADD COLUMN entry BIGINT DEFAULT nextval('setting_entries');
ALTER TABLE review_assignment_event ADD COLUMN number BIGINT DEFAULT nextval('assignment_event_ids');

-- Of rows from before, the clock is all that tells how they stand to other logs.
UPDATE drawing SET
    review_mark = coalesce((SELECT max(r.review_id) FROM review r WHERE r.sample_id = drawing.sample_id AND r.created_at < drawing.created_at), 0),
    verdict_mark = coalesce((SELECT max(v.verdict_id) FROM verdict v WHERE v.sample_id = drawing.sample_id AND v.created_at < drawing.created_at), 0);
UPDATE reveal SET review_mark = coalesce((SELECT max(r.review_id) FROM review r WHERE r.created_at <= reveal.created_at), 0);
UPDATE auto_rule SET review_mark = coalesce((SELECT max(r.review_id) FROM review r WHERE r.created_at <= auto_rule.created_at), 0);

-- drawn_review, drawn_verdict: the marks of the current picture (0: it came with the sample); what is not above them doesn't count.
ALTER TABLE sample_state DROP COLUMN drawn_at;
ALTER TABLE sample_state ADD COLUMN drawn_review BIGINT DEFAULT 0;
ALTER TABLE sample_state ADD COLUMN drawn_verdict BIGINT DEFAULT 0;

CREATE OR REPLACE VIEW current_verdict AS  -- the verdicts that count: the latest of each filter on a sample's current revision and picture
    SELECT v.* FROM verdict v JOIN sample_state t ON t.sample_id = v.sample_id AND t.revision = v.revision
    WHERE v.verdict_id > t.drawn_verdict
    QUALIFY row_number() OVER (PARTITION BY v.sample_id, v.filter ORDER BY v.verdict_id DESC) = 1;

CREATE OR REPLACE VIEW current_triage AS  -- the latest label and the latest corrected error type
    SELECT failure_id, arg_max(label, triage_id) FILTER (label IS NOT NULL) AS label,
           arg_max(error_type, triage_id) FILTER (error_type IS NOT NULL) AS error_type
    FROM standing_triage GROUP BY failure_id;
