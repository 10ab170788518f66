-- Calls that were sent and came to nothing: what they may have been billed, at worst. Copied from the journal, as replies are.

CREATE TABLE lost_call (
    position BIGINT PRIMARY KEY, key TEXT NOT NULL, job_id BIGINT, endpoint TEXT, model TEXT, purpose TEXT, worst_usd DOUBLE NOT NULL,
    reason TEXT, created_at TIMESTAMPTZ);
