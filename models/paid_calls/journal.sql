-- Every query of the journal under a name. Money is in USD, times in seconds since 1970.

-- :name schema_1
-- From an empty file to version 1.
CREATE TABLE reply (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  purpose TEXT NOT NULL,
  prompt_version TEXT NOT NULL,
  scope TEXT NOT NULL,
  level TEXT NOT NULL,
  body TEXT NOT NULL,
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  cached_tokens INTEGER,
  cost_usd REAL,
  seconds REAL NOT NULL,
  created_at REAL NOT NULL
) STRICT;
CREATE TABLE claim (
  key TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  purpose TEXT NOT NULL,
  scope TEXT NOT NULL,
  worst_usd REAL NOT NULL,
  expires_at REAL NOT NULL
) STRICT;
CREATE TABLE lost (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  purpose TEXT NOT NULL,
  scope TEXT NOT NULL,
  worst_usd REAL NOT NULL,
  reason TEXT NOT NULL,
  body TEXT,
  created_at REAL NOT NULL
) STRICT;
CREATE TABLE ledger (scope TEXT PRIMARY KEY, usd REAL NOT NULL) STRICT;
CREATE TABLE dialect (endpoint TEXT NOT NULL, model TEXT NOT NULL, dialect TEXT NOT NULL, PRIMARY KEY (endpoint, model)) STRICT;
CREATE INDEX reply_by_purpose ON reply (endpoint, model, purpose);

-- :name schema_2
-- Remote batches that aren't collected yet, and their calls.
CREATE TABLE batch (
  token TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  file_id TEXT,
  remote_id TEXT,
  created_at REAL NOT NULL
) STRICT;
CREATE TABLE batch_call (key TEXT PRIMARY KEY, token TEXT NOT NULL, prompt_version TEXT NOT NULL, level TEXT NOT NULL) STRICT;
CREATE INDEX batch_call_by_token ON batch_call (token);

-- :name schema_3
-- When the run that looks after a batch last gave a sign of life.
ALTER TABLE batch ADD COLUMN seen_at REAL NOT NULL DEFAULT 0;

-- :name find
-- One reply by its key.
SELECT key, endpoint, model, purpose, body, prompt_tokens, completion_tokens, cached_tokens, cost_usd, seconds, created_at
FROM reply WHERE key = ?;

-- :name replies
-- Replies after a position, for the collector.
SELECT position, key, endpoint, model, purpose, body, prompt_tokens, completion_tokens, cached_tokens, cost_usd, seconds, created_at
FROM reply WHERE position > ? ORDER BY position LIMIT ?;

-- :name scoped_replies
-- Replies after a position, each with the scope that paid for it.
SELECT position, scope, key, endpoint, model, purpose, body, prompt_tokens, completion_tokens, cached_tokens, cost_usd, seconds, created_at
FROM reply WHERE position > ? ORDER BY position LIMIT ?;

-- :name lost_calls
-- Calls that came to nothing, after a position.
SELECT position, scope, key, endpoint, model, purpose, worst_usd, reason, created_at FROM lost WHERE position > ? ORDER BY position LIMIT ?;

-- :name insert_reply
-- Keep a reply; a key that is there already stays as it is.
INSERT INTO reply (key, endpoint, model, purpose, body, prompt_tokens, completion_tokens, cached_tokens, cost_usd, seconds, created_at,
                   prompt_version, scope, level)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- :name insert_lost
-- Keep a call that may have been billed and brought no reply.
INSERT INTO lost (key, endpoint, model, purpose, scope, worst_usd, reason, body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- :name charge
-- Add to what a scope has spent.
INSERT INTO ledger (scope, usd) VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET usd = usd + excluded.usd;

-- :name spent
-- What a scope has spent.
SELECT usd FROM ledger WHERE scope = ?;

-- :name reserved
-- Cost reserved for calls in flight, of one scope or ('' twice) of all.
SELECT coalesce(sum(worst_usd), 0) FROM claim WHERE ? = '' OR scope = ?;

-- :name claim_of
-- Who is asking this now.
SELECT owner, expires_at FROM claim WHERE key = ?;

-- :name insert_claim
-- From now on this key is ours to ask.
INSERT INTO claim (key, owner, endpoint, model, purpose, scope, worst_usd, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- :name delete_claim
-- Done with it.
DELETE FROM claim WHERE key = ? AND owner = ?;

-- :name renew
-- A sign of life for all claims of an owner.
UPDATE claim SET expires_at = ? WHERE owner = ?;

-- :name renew_batches
-- A sign of life for the batches of an owner.
UPDATE batch SET seen_at = ? WHERE owner = ?;

-- :name owners
-- Everyone who holds claims, with the latest sign of life.
SELECT owner, max(expires_at) FROM claim GROUP BY owner;

-- :name claims_of
-- What an owner holds.
SELECT key, endpoint, model, purpose, scope, worst_usd FROM claim WHERE owner = ?;

-- :name delete_claims
-- An owner is gone.
DELETE FROM claim WHERE owner = ?;

-- :name capabilities
-- What an endpoint's model is known to support.
SELECT dialect FROM dialect WHERE endpoint = ? AND model = ?;

-- :name save_capabilities
-- Remember it.
INSERT INTO dialect (endpoint, model, dialect) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET dialect = excluded.dialect;

-- :name spend
-- By purpose and model, calls that came to nothing beside those that were answered.
SELECT purpose, endpoint, model, sum(calls), sum(prompt), sum(completion), sum(cached), sum(usd), sum(unpriced), sum(lost), sum(lost_usd)
FROM (
  SELECT purpose, endpoint, model, count(*) AS calls, coalesce(sum(prompt_tokens), 0) AS prompt,
         coalesce(sum(completion_tokens), 0) AS completion, coalesce(sum(cached_tokens), 0) AS cached, sum(cost_usd) AS usd,
         sum(cost_usd IS NULL) AS unpriced, 0 AS lost, 0.0 AS lost_usd
  FROM reply WHERE ?1 IS NULL OR scope = ?1 GROUP BY purpose, endpoint, model
  UNION ALL
  SELECT purpose, endpoint, model, 0, 0, 0, 0, NULL, 0, count(*), sum(worst_usd)
  FROM lost WHERE ?1 IS NULL OR scope = ?1 GROUP BY purpose, endpoint, model
)
GROUP BY purpose, endpoint, model ORDER BY purpose, endpoint, model;

-- :name typical
-- Number of replies and mean tokens for a purpose.
SELECT count(*), avg(prompt_tokens), avg(completion_tokens) FROM reply WHERE endpoint = ? AND model = ? AND purpose = ?;

-- :name insert_batch
-- A batch begins, here only.
INSERT INTO batch (token, owner, endpoint, model, file_id, remote_id, created_at, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- :name insert_batch_call
-- A call goes by this batch.
INSERT INTO batch_call (key, token, prompt_version, level) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET token = excluded.token, prompt_version = excluded.prompt_version, level = excluded.level;

-- :name batch_uploaded
-- Its calls are with the endpoint.
UPDATE batch SET file_id = ? WHERE token = ?;

-- :name batch_submitted
-- The endpoint works on it.
UPDATE batch SET remote_id = ? WHERE token = ?;

-- :name own_batch
-- Who looks after it from here on, if it is still who did.
UPDATE batch SET owner = ?, seen_at = ? WHERE token = ? AND owner = ?;

-- :name open_batches
-- Those of an endpoint's model that aren't collected.
SELECT token, owner, endpoint, model, file_id, remote_id, created_at, seen_at
FROM batch WHERE endpoint = ? AND model = ? ORDER BY created_at;

-- :name batch_calls
-- Its calls without a result.
SELECT batch_call.key, coalesce(claim.purpose, ''), prompt_version, level FROM batch_call LEFT JOIN claim ON claim.key = batch_call.key
WHERE token = ?;

-- :name unasked_batch
-- Is this the owner of claims of a batch that was never uploaded?
SELECT 1 FROM batch WHERE 'batch:' || token || '|0|0|0' = ? AND file_id IS NULL;

-- :name held_claim
-- Scope and reserved cost of a claim that its owner still has.
SELECT scope, worst_usd FROM claim WHERE key = ? AND owner = ?;

-- :name delete_batch_call
-- It has its result.
DELETE FROM batch_call WHERE key = ? AND token = ?;

-- :name delete_batch_calls
-- What is left of a batch's calls.
DELETE FROM batch_call WHERE token = ?;

-- :name delete_batch
-- It is collected.
DELETE FROM batch WHERE token = ?;
