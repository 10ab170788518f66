-- What people change in the clusters, what the jobs had found before that, and how good a cluster is.

CREATE TYPE cluster_action AS ENUM ('rename', 'merge', 'split', 'make', 'move', 'undo');
CREATE SEQUENCE layout_ids; CREATE SEQUENCE cluster_change_ids;

CREATE TABLE layout (  -- a cluster job whose map was taken up; `adds`: it only placed failures that were new
    layout_id BIGINT PRIMARY KEY DEFAULT nextval('layout_ids'), round INTEGER NOT NULL, job_id BIGINT UNIQUE NOT NULL, adds BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE grouped (  -- log: the cluster that a job found for a failure; what stands is in `place`
    job_id BIGINT NOT NULL, failure_id BIGINT NOT NULL, cluster_id BIGINT NOT NULL);

CREATE TABLE cluster_change (  -- log of people's changes; job_id: the layout they were made on (curation/clusters/edit_rules.py says what they mean)
    change_id BIGINT PRIMARY KEY DEFAULT nextval('cluster_change_ids'), round INTEGER NOT NULL, job_id BIGINT NOT NULL, action cluster_action NOT NULL,
    cluster_ids BIGINT[] NOT NULL, into_id BIGINT, title TEXT, failure_ids BIGINT[] NOT NULL, example_ids BIGINT[] NOT NULL, undoes BIGINT,
    reviewer TEXT NOT NULL, event_id TEXT UNIQUE NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE cluster_quality (  -- how often a cluster comes back when the failures are drawn again
    cluster_id BIGINT PRIMARY KEY, stability DOUBLE NOT NULL, dissolved DOUBLE NOT NULL, resamples INTEGER NOT NULL);

ALTER TABLE cluster ADD COLUMN found_title TEXT;  -- the frontier model's; `title` is the one that stands
ALTER TABLE cluster ADD COLUMN made_by TEXT;  -- who split it off or gathered it; NULL: a job found it
ALTER TABLE assignment ADD COLUMN found_cluster_id BIGINT;  -- the nearest centre's; `cluster_id` follows people's changes
