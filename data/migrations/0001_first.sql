-- The tables of the loop. One table a noun (DESIGN §1); logs are append-only, `sample_state` follows from them.

CREATE TYPE split AS ENUM ('train', 'dev', 'eval');
CREATE TYPE route AS ENUM ('same_image', 'new_image', 'by_hand');
CREATE TYPE review_action AS ENUM ('approve', 'reject', 'reset', 'edit', 'undo');
CREATE TYPE sample_status AS ENUM
    ('undrawn', 'unfiltered', 'failed', 'pending', 'auto_approved', 'approved', 'rejected', 'disputed');
CREATE TYPE job_status AS ENUM ('queued', 'running', 'paused', 'cancelled', 'failed', 'interrupted', 'done');
CREATE TYPE lane AS ENUM ('gpu', 'api', 'cpu');
CREATE TYPE comparison AS ENUM ('at_least', 'at_most');

CREATE SEQUENCE example_ids; CREATE SEQUENCE prediction_ids; CREATE SEQUENCE failure_ids; CREATE SEQUENCE diagnosis_ids;
CREATE SEQUENCE cluster_ids; CREATE SEQUENCE sample_ids; CREATE SEQUENCE verdict_ids; CREATE SEQUENCE review_ids;
CREATE SEQUENCE checkpoint_ids; CREATE SEQUENCE run_ids; CREATE SEQUENCE job_ids; CREATE SEQUENCE batch_ids; CREATE SEQUENCE setting_ids;

-- What is measured ----------------------------------------------------------------------------------------------

CREATE TABLE dataset (
    name TEXT PRIMARY KEY, title TEXT, format TEXT, metric TEXT NOT NULL, threshold DOUBLE NOT NULL,
    prompt_suffix TEXT NOT NULL, answer_form TEXT NOT NULL, source TEXT, licence TEXT, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE image (  -- image: SHA-256 of the bytes, hexadecimal
    image TEXT PRIMARY KEY, mime TEXT, width INTEGER, height INTEGER, bytes BIGINT, phash UBIGINT, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE example (
    example_id BIGINT PRIMARY KEY DEFAULT nextval('example_ids'), dataset TEXT NOT NULL, external_id TEXT NOT NULL, split split NOT NULL,
    image TEXT NOT NULL, question TEXT NOT NULL, choices TEXT[] NOT NULL, golds TEXT[] NOT NULL, kind TEXT,
    created_at TIMESTAMPTZ DEFAULT now(), UNIQUE (dataset, split, external_id));

CREATE TABLE kind (  -- a kind of question that the frontier model gave an example whose dataset names none
    example_id BIGINT PRIMARY KEY, error_type TEXT NOT NULL, job_id BIGINT, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE checkpoint (  -- a base, or a base with an adapter; `parent` is what it was trained from
    checkpoint_id BIGINT PRIMARY KEY DEFAULT nextval('checkpoint_ids'), name TEXT UNIQUE NOT NULL, baseline TEXT NOT NULL,
    model TEXT NOT NULL, adapter TEXT, options JSON NOT NULL DEFAULT '{}', parent BIGINT, run_id BIGINT, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE round (  -- one turn of the loop, starting from a checkpoint
    round INTEGER PRIMARY KEY, checkpoint_id BIGINT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE prediction (  -- log
    prediction_id BIGINT PRIMARY KEY DEFAULT nextval('prediction_ids'), checkpoint_id BIGINT NOT NULL, example_id BIGINT NOT NULL,
    answer TEXT NOT NULL, strict DOUBLE NOT NULL, lenient DOUBLE NOT NULL, job_id BIGINT, created_at TIMESTAMPTZ DEFAULT now(),
    UNIQUE (checkpoint_id, example_id));

-- What went wrong -----------------------------------------------------------------------------------------------

CREATE TABLE failure (
    failure_id BIGINT PRIMARY KEY DEFAULT nextval('failure_ids'), prediction_id BIGINT UNIQUE NOT NULL, checkpoint_id BIGINT NOT NULL,
    example_id BIGINT NOT NULL, round INTEGER NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE diagnosis (  -- log; the latest of a failure counts
    diagnosis_id BIGINT PRIMARY KEY DEFAULT nextval('diagnosis_ids'), failure_id BIGINT NOT NULL, description TEXT, key_elements TEXT[],
    faulty_reasoning TEXT, error_type TEXT, own_answer TEXT, own_score DOUBLE, gold_looks_wrong BOOLEAN, right_but_misformatted BOOLEAN,
    confidence DOUBLE, frontier TEXT, replies TEXT[], job_id BIGINT, created_at TIMESTAMPTZ DEFAULT now(), UNIQUE (failure_id, job_id));

CREATE TABLE triage (  -- log of people's words on a failure: model error, label error, scorer artefact, or a corrected error type
    failure_id BIGINT NOT NULL, label TEXT, error_type TEXT, reviewer TEXT NOT NULL, event_id TEXT UNIQUE NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE cluster (
    cluster_id BIGINT PRIMARY KEY DEFAULT nextval('cluster_ids'), round INTEGER NOT NULL, error_type TEXT NOT NULL, title TEXT NOT NULL,
    job_id BIGINT NOT NULL, name TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now(), UNIQUE (job_id, name));

CREATE TABLE place (  -- where a failure lies on the map, from the latest cluster job; replaced as a whole
    failure_id BIGINT PRIMARY KEY, cluster_id BIGINT NOT NULL, x FLOAT NOT NULL, y FLOAT NOT NULL, distance FLOAT, job_id BIGINT NOT NULL);

CREATE TABLE assignment (  -- which cluster any example belongs to, by kind and nearest centre
    example_id BIGINT NOT NULL, round INTEGER NOT NULL, error_type TEXT NOT NULL, cluster_id BIGINT, job_id BIGINT NOT NULL,
    PRIMARY KEY (example_id, round));

-- What practises it ---------------------------------------------------------------------------------------------

CREATE TABLE sample (  -- revision 0 of each sample; never changed
    sample_id BIGINT PRIMARY KEY DEFAULT nextval('sample_ids'), key TEXT UNIQUE NOT NULL, round INTEGER NOT NULL, failure_id BIGINT,
    diagnosis_id BIGINT, dataset TEXT NOT NULL, error_type TEXT NOT NULL, route route NOT NULL, question TEXT NOT NULL, choices TEXT[] NOT NULL,
    answer TEXT NOT NULL, image TEXT, image_prompt TEXT, seed BIGINT, frontier TEXT, replies TEXT[], job_id BIGINT,
    created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE drawing (  -- log; the latest picture of a sample counts
    sample_id BIGINT NOT NULL, image TEXT NOT NULL, generator TEXT NOT NULL, seed BIGINT NOT NULL, recipe JSON NOT NULL, job_id BIGINT,
    created_at TIMESTAMPTZ DEFAULT now(), UNIQUE (sample_id, job_id));

CREATE TABLE revision (  -- log of edits; revision 0 is in `sample`
    sample_id BIGINT NOT NULL, revision INTEGER NOT NULL, question TEXT NOT NULL, choices TEXT[] NOT NULL, answer TEXT NOT NULL,
    reviewer TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now(), PRIMARY KEY (sample_id, revision));

CREATE TABLE filter_setting (  -- log; the latest of a filter counts. `bit` is its place in the masks of sample_state
    setting_id BIGINT PRIMARY KEY DEFAULT nextval('setting_ids'), filter TEXT NOT NULL, bit UTINYINT NOT NULL, enabled BOOLEAN NOT NULL,
    threshold DOUBLE NOT NULL, comparison comparison NOT NULL, author TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE verdict (  -- log; the latest of a filter on a revision counts
    verdict_id BIGINT PRIMARY KEY DEFAULT nextval('verdict_ids'), sample_id BIGINT NOT NULL, revision INTEGER NOT NULL, filter TEXT NOT NULL,
    version INTEGER NOT NULL, score DOUBLE, reason TEXT NOT NULL, error TEXT, job_id BIGINT NOT NULL, created_at TIMESTAMPTZ DEFAULT now(),
    UNIQUE (sample_id, revision, filter, job_id));

CREATE TABLE review (  -- log; event_id comes from the browser, so that a repeated POST changes nothing
    review_id BIGINT PRIMARY KEY DEFAULT nextval('review_ids'), sample_id BIGINT NOT NULL, revision INTEGER NOT NULL,
    action review_action NOT NULL, reason TEXT, note TEXT, reviewer TEXT NOT NULL, batch_id BIGINT, undoes BIGINT,
    event_id TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now(), UNIQUE (event_id, sample_id));

CREATE TABLE sample_state (  -- follows from the logs (sql/state.sql); written in the same transaction
    sample_id BIGINT PRIMARY KEY, round INTEGER NOT NULL, dataset TEXT NOT NULL, error_type TEXT NOT NULL, route route NOT NULL,
    failure_id BIGINT, revision INTEGER NOT NULL, question TEXT NOT NULL, choices TEXT[] NOT NULL, answer TEXT NOT NULL, image TEXT,
    judged UBIGINT NOT NULL, failed UBIGINT NOT NULL, decision TEXT, decided_by TEXT, status sample_status NOT NULL);

-- What was learnt -----------------------------------------------------------------------------------------------

CREATE TABLE run (
    run_id BIGINT PRIMARY KEY DEFAULT nextval('run_ids'), round INTEGER NOT NULL, parent BIGINT NOT NULL, job_id BIGINT UNIQUE NOT NULL,
    options JSON NOT NULL, samples INTEGER NOT NULL, replay INTEGER NOT NULL, checkpoint_id BIGINT, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE run_sample (  -- the frozen snapshot a run was trained on
    run_id BIGINT NOT NULL, sample_id BIGINT NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (run_id, sample_id));

-- The work ------------------------------------------------------------------------------------------------------

CREATE TABLE job (
    job_id BIGINT PRIMARY KEY DEFAULT nextval('job_ids'), stage TEXT NOT NULL, options JSON NOT NULL, round INTEGER, lane lane NOT NULL,
    status job_status NOT NULL, total BIGINT NOT NULL, done BIGINT NOT NULL DEFAULT 0, failed BIGINT NOT NULL DEFAULT 0,
    spend_usd DOUBLE, message TEXT, pid BIGINT, pid_started DOUBLE, results_offset BIGINT NOT NULL DEFAULT 0, author TEXT NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now(), started_at TIMESTAMPTZ, ended_at TIMESTAMPTZ, seconds DOUBLE);

CREATE TABLE row_error (  -- a bad row is a result too
    job_id BIGINT NOT NULL, key TEXT NOT NULL, error TEXT NOT NULL, reply TEXT, created_at TIMESTAMPTZ DEFAULT now(), PRIMARY KEY (job_id, key));

CREATE TABLE reply (  -- copied from the journal of paid answers (models/frontier)
    key TEXT PRIMARY KEY, job_id BIGINT, endpoint TEXT, model TEXT, purpose TEXT, body TEXT, prompt_tokens BIGINT, completion_tokens BIGINT,
    cached_tokens BIGINT, cost_usd DOUBLE, seconds DOUBLE, created_at TIMESTAMPTZ);

CREATE TABLE setting (  -- log; the latest of a name counts
    name TEXT NOT NULL, value JSON NOT NULL, author TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

-- Views ---------------------------------------------------------------------------------------------------------

CREATE VIEW current_diagnosis AS
    SELECT * FROM diagnosis QUALIFY row_number() OVER (PARTITION BY failure_id ORDER BY diagnosis_id DESC) = 1;

CREATE VIEW current_triage AS  -- the latest label and the latest corrected error type
    SELECT failure_id, arg_max(label, created_at) FILTER (label IS NOT NULL) AS label,
           arg_max(error_type, created_at) FILTER (error_type IS NOT NULL) AS error_type
    FROM triage GROUP BY failure_id;

CREATE VIEW current_filter AS
    SELECT * FROM filter_setting QUALIFY row_number() OVER (PARTITION BY filter ORDER BY setting_id DESC) = 1;

CREATE VIEW failure_card AS  -- a failure with all that is known of it
    SELECT f.failure_id, f.round, f.checkpoint_id, f.example_id, e.dataset, e.external_id, e.split::TEXT AS split, e.image, e.question, e.choices,
           e.golds, e.kind, p.answer, p.strict, p.lenient, d.diagnosis_id, d.description, d.key_elements, d.faulty_reasoning,
           d.own_answer, d.own_score, d.gold_looks_wrong, d.right_but_misformatted, d.confidence, d.frontier,
           coalesce(t.error_type, d.error_type) AS error_type, t.label AS triage, l.cluster_id, l.x, l.y, l.distance,
           d.diagnosis_id IS NOT NULL AND d.own_score >= s.threshold AND NOT d.gold_looks_wrong AND NOT d.right_but_misformatted
               AND coalesce(t.label, 'model error') = 'model error' AS teachable
    FROM failure f JOIN prediction p USING (prediction_id) JOIN example e ON e.example_id = f.example_id JOIN dataset s ON s.name = e.dataset
    LEFT JOIN current_diagnosis d USING (failure_id) LEFT JOIN current_triage t USING (failure_id) LEFT JOIN place l USING (failure_id);
