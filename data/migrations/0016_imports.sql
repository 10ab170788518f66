-- What an import read: as which layout, what it left out and what it passed over (counts by reason). A log, a row an import.
CREATE TABLE import_report (
    job_id BIGINT PRIMARY KEY, dataset TEXT NOT NULL, format TEXT NOT NULL, layout TEXT NOT NULL, source TEXT NOT NULL, examples BIGINT NOT NULL,
    skipped JSON NOT NULL, remarks JSON NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

-- position: an example's place in its official split, from 0, as harnesses number items; NULL where the format tells none.
ALTER TABLE example ADD COLUMN position BIGINT;
