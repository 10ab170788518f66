-- What the search index (data/search.py) is made of: texts by id, and marks that say how far the logs have come.

-- :name search_marks_samples
-- How far samples and their edits have come.
SELECT (SELECT count(*) FROM sample) AS rows, (SELECT coalesce(max(sample_id), 0) FROM sample) AS last,
       (SELECT count(*) FROM revision) AS changes, (SELECT coalesce(epoch_us(max(created_at)), 0) FROM revision) AS changed

-- :name search_known_samples
-- How many samples and edits there are up to a mark: as many as were indexed, unless the store was put back to an earlier state.
SELECT (SELECT count(*) FROM sample WHERE sample_id <= $last) AS rows, (SELECT count(*) FROM revision WHERE epoch_us(created_at) <= $changed) AS changes

-- :name search_new_samples
-- Samples after a mark, or edited after it.
SELECT sample_id AS id FROM sample WHERE sample_id > $last UNION SELECT sample_id FROM revision WHERE epoch_us(created_at) > $changed ORDER BY id

-- :name search_text_samples
-- The texts of some samples, as they stand.
SELECT sample_id AS id, question, array_to_string(choices, ' ') AS choices, answer FROM sample_state
WHERE sample_id BETWEEN $low AND $high AND ($ids IS NULL OR list_contains($ids::BIGINT[], sample_id))

-- :name search_marks_failures
-- How far failures and their diagnoses have come.
SELECT (SELECT count(*) FROM failure) AS rows, (SELECT coalesce(max(failure_id), 0) FROM failure) AS last,
       (SELECT count(*) FROM diagnosis) AS changes, (SELECT coalesce(max(diagnosis_id), 0) FROM diagnosis) AS changed

-- :name search_known_failures
-- How many failures and diagnoses there are up to a mark.
SELECT (SELECT count(*) FROM failure WHERE failure_id <= $last) AS rows, (SELECT count(*) FROM diagnosis WHERE diagnosis_id <= $changed) AS changes

-- :name search_new_failures
-- Failures after a mark, or diagnosed after it.
SELECT failure_id AS id FROM failure WHERE failure_id > $last UNION SELECT failure_id FROM diagnosis WHERE diagnosis_id > $changed ORDER BY id

-- :name search_text_failures
-- The texts of some failures: the question, all answers, the latest diagnosis.
SELECT s.failure_id AS id, s.question, concat_ws(' ', s.answer, array_to_string(s.golds, ' '), array_to_string(s.choices, ' '), d.own_answer) AS answers,
       concat_ws(' ', d.description, array_to_string(d.key_elements, ' '), d.faulty_reasoning) AS diagnosis
FROM failure_state s LEFT JOIN diagnosis d ON d.diagnosis_id = s.diagnosis_id
WHERE s.failure_id BETWEEN $low AND $high AND ($ids IS NULL OR list_contains($ids::BIGINT[], s.failure_id))
