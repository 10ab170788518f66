-- What the Failures page filters by, one row a failure; and views that people have saved.

CREATE TABLE failure_state (  -- follows from the logs (sql/failure_state.sql); written in the same transaction
    failure_id BIGINT NOT NULL, round INTEGER NOT NULL, checkpoint_id BIGINT NOT NULL, prediction_id BIGINT NOT NULL, example_id BIGINT NOT NULL,
    dataset TEXT NOT NULL, kind TEXT, image TEXT NOT NULL, question TEXT NOT NULL, choices TEXT[] NOT NULL, golds TEXT[] NOT NULL,
    opening TEXT NOT NULL, answer TEXT NOT NULL, answer_words INTEGER NOT NULL, strict DOUBLE NOT NULL, lenient DOUBLE NOT NULL,
    diagnosis_id BIGINT, error_type TEXT, confidence DOUBLE, triage TEXT, assigned TEXT, cluster_id BIGINT, x FLOAT, y FLOAT, distance FLOAT,
    teachable BOOLEAN NOT NULL, label_error BOOLEAN NOT NULL, use TEXT NOT NULL);

INSERT INTO failure_state
    SELECT c.failure_id, c.round, c.checkpoint_id, f.prediction_id, c.example_id, c.dataset, c.kind, c.image, c.question, c.choices, c.golds,
           array_to_string(string_split(lower(c.question), ' ')[1:2], ' '), c.answer,
           len(list_filter(string_split(c.answer, ' '), lambda w: w <> '')), c.strict, c.lenient,
           c.diagnosis_id, c.error_type, c.confidence, c.triage, a.error_type, c.cluster_id, c.x, c.y, c.distance, coalesce(c.teachable, false),
           coalesce(c.triage = 'label error', false) OR (coalesce(c.gold_looks_wrong, false) AND c.triage IS DISTINCT FROM 'model error'),
           CASE WHEN c.diagnosis_id IS NULL THEN 'not diagnosed' WHEN c.teachable THEN 'teachable'
                WHEN c.triage = 'label error' OR c.gold_looks_wrong THEN 'gold looks wrong'
                WHEN c.triage = 'scorer artefact' OR c.right_but_misformatted THEN 'only its form is wrong' ELSE 'the frontier fails too' END
    FROM failure_card c JOIN failure f USING (failure_id) LEFT JOIN assignment a ON a.example_id = c.example_id AND a.round = c.round
    ORDER BY c.failure_id;

CREATE OR REPLACE VIEW failure_card AS  -- a failure with all that is known of it
    SELECT s.*, e.external_id, e.split::TEXT AS split, d.description, d.key_elements, d.faulty_reasoning, d.own_answer, d.own_score, d.gold_looks_wrong,
           d.right_but_misformatted, d.frontier
    FROM failure_state s JOIN example e ON e.example_id = s.example_id LEFT JOIN diagnosis d ON d.diagnosis_id = s.diagnosis_id;

CREATE SEQUENCE view_ids;

CREATE TABLE saved_view (  -- a page's query string under a name; deleted for good
    view_id BIGINT PRIMARY KEY DEFAULT nextval('view_ids'), page TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, author TEXT NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now());
