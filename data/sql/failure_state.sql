-- :name failure_state_forget
-- Takes the state of the touched failures away (`touched_failure` is a temporary table of the writer).
DELETE FROM failure_state WHERE failure_id IN (FROM touched_failure)

-- :name failure_state_write
-- Writes the state of the touched failures anew, from the logs alone. Nothing else writes failure_state.
INSERT INTO failure_state BY NAME SELECT * FROM ({failure_state_derived}) ORDER BY failure_id

-- :name touched_failures_add
-- Marks failures as touched.
INSERT INTO touched_failure SELECT DISTINCT unnest($failure_ids::BIGINT[]) EXCEPT FROM touched_failure

-- :name touched_failures_all
-- Marks every failure as touched: the rebuild, or a new map.
INSERT INTO touched_failure SELECT failure_id FROM failure EXCEPT FROM touched_failure

-- :name touched_failures_clear
-- Forgets which failures a transaction touched.
DELETE FROM touched_failure

-- :name failure_state_derived
-- The state that follows from the logs, for the touched failures: the latest diagnosis, the latest triage labels, the place on the map.
WITH latest_diagnosis AS (
    SELECT * FROM diagnosis WHERE failure_id IN (FROM touched_failure)
    QUALIFY row_number() OVER (PARTITION BY failure_id ORDER BY diagnosis_id DESC) = 1),
labels AS (
    SELECT failure_id, arg_max(label, triage_id) FILTER (label IS NOT NULL) AS label,
           arg_max(error_type, triage_id) FILTER (error_type IS NOT NULL) AS error_type
    FROM triage WHERE failure_id IN (FROM touched_failure) AND undoes IS NULL
      AND event_id NOT IN (SELECT undoes FROM triage WHERE undoes IS NOT NULL AND failure_id IN (FROM touched_failure)) GROUP BY failure_id),
card AS (
    SELECT f.failure_id, f.round, f.checkpoint_id, f.prediction_id, f.example_id, e.dataset, coalesce(e.kind, k.name) AS kind, e.image, e.question, e.choices, e.golds,
           {opening_of_question} AS opening, p.answer, {words_of_answer} AS answer_words, p.strict, p.lenient, d.diagnosis_id,
           coalesce(y.current, t.error_type, d.error_type) AS error_type, d.confidence, t.label AS triage, a.error_type AS assigned,
           l.cluster_id, l.x, l.y, l.distance, d.gold_looks_wrong, d.right_but_misformatted,
           coalesce(d.own_score >= s.threshold AND NOT d.gold_looks_wrong AND NOT d.right_but_misformatted
                    AND coalesce(t.label, 'model error') = 'model error', false) AS teachable
    FROM failure f JOIN prediction p USING (prediction_id) JOIN example e ON e.example_id = f.example_id JOIN dataset s ON s.name = e.dataset
    LEFT JOIN latest_diagnosis d USING (failure_id) LEFT JOIN labels t USING (failure_id) LEFT JOIN place l USING (failure_id)
    LEFT JOIN assignment a ON a.example_id = f.example_id AND a.round = f.round LEFT JOIN kind k ON k.example_id = f.example_id
    LEFT JOIN error_type_alias y ON y.name = coalesce(t.error_type, d.error_type)
    WHERE f.failure_id IN (FROM touched_failure))
SELECT * EXCLUDE (gold_looks_wrong, right_but_misformatted), ({label_error}) AS label_error, {use_of_failure} AS use FROM card

-- :name opening_of_question
-- The first two words of a question.
array_to_string(string_split(lower(e.question), ' ')[1:2], ' ')

-- :name words_of_answer
-- How many words the baseline answered.
len(list_filter(string_split(p.answer, ' '), lambda w: w <> ''))

-- :name label_error
-- Whether the gold answer counts as wrong: a person's triage label stands over the frontier model's judgement.
coalesce(triage = 'label error', false) OR (coalesce(gold_looks_wrong, false) AND triage IS DISTINCT FROM 'model error')

-- :name use_of_failure
-- Whether a failure can teach, and why not (METHOD.md, step 1).
CASE WHEN diagnosis_id IS NULL THEN 'not diagnosed' WHEN teachable THEN 'teachable'
     WHEN triage = 'label error' OR gold_looks_wrong THEN 'gold looks wrong'
     WHEN triage = 'scorer artefact' OR right_but_misformatted THEN 'only its form is wrong' ELSE 'the frontier fails too' END

-- :name failure_state_differences
-- How many rows of failure_state differ from what the logs say (all failures must be touched).
SELECT count(*) FROM ((FROM failure_state EXCEPT ALL SELECT {failure_state_columns} FROM ({failure_state_derived}))
                      UNION ALL (SELECT {failure_state_columns} FROM ({failure_state_derived}) EXCEPT ALL FROM failure_state))

-- :name failure_state_columns
-- The columns of failure_state in their order.
failure_id, round, checkpoint_id, prediction_id, example_id, dataset, kind, image, question, choices, golds, opening, answer, answer_words, strict, lenient,
diagnosis_id, error_type, confidence, triage, assigned, cluster_id, x, y, distance, teachable, label_error, use
