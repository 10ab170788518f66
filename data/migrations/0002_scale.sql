-- What pages sort and count by is kept beside the status; rules that approve by themselves.

-- drawn_at: when the current picture was made (NULL: it came with the sample); verdicts and decisions before it don't count.
-- undecided: the status that the sample has without people's decisions. unsure: how little the filters leave to be learnt, ascending (sql/state.sql).
-- Written by deleting and inserting, so without a key, which would cost more than it finds: each row is written by one statement.
-- A page picks sixty questions from anywhere: uncompressed that takes 3 ms, compressed 11 (each dictionary on the way is unpacked).
DROP TABLE sample_state;
CREATE TABLE sample_state (  -- follows from the logs (sql/state.sql); written in the same transaction
    sample_id BIGINT NOT NULL, round INTEGER NOT NULL, dataset TEXT NOT NULL, error_type TEXT NOT NULL, route route NOT NULL,
    failure_id BIGINT, revision INTEGER NOT NULL, question TEXT NOT NULL USING COMPRESSION uncompressed, choices TEXT[] NOT NULL, answer TEXT NOT NULL,
    image TEXT, drawn_at TIMESTAMPTZ, judged UBIGINT NOT NULL, failed UBIGINT NOT NULL, unsure DOUBLE NOT NULL, undecided sample_status NOT NULL,
    decision TEXT, decided_by TEXT, status sample_status NOT NULL);

CREATE SEQUENCE rule_ids;

CREATE TABLE auto_rule (  -- log; the latest counts. conditions: all of them must hold for a pending sample; NULL: the gate is closed
    rule_id BIGINT PRIMARY KEY DEFAULT nextval('rule_ids'), conditions STRUCT(filter TEXT, comparison comparison, threshold DOUBLE)[],
    author TEXT NOT NULL, reason TEXT, evidence JSON, created_at TIMESTAMPTZ DEFAULT now());

CREATE VIEW current_verdict AS  -- the verdicts that count: the latest of each filter on a sample's current revision and picture
    SELECT v.* FROM verdict v JOIN sample_state t ON t.sample_id = v.sample_id AND t.revision = v.revision
    WHERE t.drawn_at IS NULL OR v.created_at >= t.drawn_at
    QUALIFY row_number() OVER (PARTITION BY v.sample_id, v.filter ORDER BY v.verdict_id DESC) = 1;
