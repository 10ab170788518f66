-- Every query of the journal under a name. Money is in USD, times in seconds since 1970.

-- schema_1: from an empty file to version 1
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

-- schema_2: remote batches that aren't collected yet, and their calls
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

-- schema_3: when the run that looks after a batch last gave a sign of life
ALTER TABLE batch ADD COLUMN seen_at REAL NOT NULL DEFAULT 0;

-- find: one reply by its key
SELECT key, endpoint, model, purpose, body, prompt_tokens, completion_tokens, cached_tokens, cost_usd, seconds, created_at
FROM reply WHERE key = ?;

-- replies: replies after a position, for the collector
SELECT position, key, endpoint, model, purpose, body, prompt_tokens, completion_tokens, cached_tokens, cost_usd, seconds, created_at
FROM reply WHERE position > ? ORDER BY position LIMIT ?;

-- scoped_replies: replies after a position, each with the scope that paid for it
SELECT position, scope, key, endpoint, model, purpose, body, prompt_tokens, completion_tokens, cached_tokens, cost_usd, seconds, created_at
FROM reply WHERE position > ? ORDER BY position LIMIT ?;

-- lost_calls: calls that came to nothing, after a position
SELECT position, scope, key, endpoint, model, purpose, worst_usd, reason, created_at FROM lost WHERE position > ? ORDER BY position LIMIT ?;

-- insert_reply: keep a reply; a key that is there already stays as it is
INSERT INTO reply (key, endpoint, model, purpose, body, prompt_tokens, completion_tokens, cached_tokens, cost_usd, seconds, created_at,
                   prompt_version, scope, level)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- insert_lost: keep a call that may have been billed and brought no reply
INSERT INTO lost (key, endpoint, model, purpose, scope, worst_usd, reason, body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- charge: add to what a scope has spent
INSERT INTO ledger (scope, usd) VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET usd = usd + excluded.usd;

-- spent: what a scope has spent
SELECT usd FROM ledger WHERE scope = ?;

-- reserved: worst cases in flight, of one scope or ('' twice) of all
SELECT coalesce(sum(worst_usd), 0) FROM claim WHERE ? = '' OR scope = ?;

-- claim_of: who is asking this now
SELECT owner, expires_at FROM claim WHERE key = ?;

-- insert_claim: from now on this key is ours to ask
INSERT INTO claim (key, owner, endpoint, model, purpose, scope, worst_usd, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- delete_claim: done with it
DELETE FROM claim WHERE key = ? AND owner = ?;

-- renew: a sign of life for all claims of an owner
UPDATE claim SET expires_at = ? WHERE owner = ?;

-- renew_batches: a sign of life for the batches of an owner
UPDATE batch SET seen_at = ? WHERE owner = ?;

-- owners: everyone who holds claims, with the latest sign of life
SELECT owner, max(expires_at) FROM claim GROUP BY owner;

-- claims_of: what an owner holds
SELECT key, endpoint, model, purpose, scope, worst_usd FROM claim WHERE owner = ?;

-- delete_claims: an owner is gone
DELETE FROM claim WHERE owner = ?;

-- dialect: what an endpoint's model is known to understand
SELECT dialect FROM dialect WHERE endpoint = ? AND model = ?;

-- save_dialect: remember it
INSERT INTO dialect (endpoint, model, dialect) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET dialect = excluded.dialect;

-- spend: by purpose and model, calls that came to nothing beside those that were answered
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

-- typical: number of replies and mean tokens for a purpose
SELECT count(*), avg(prompt_tokens), avg(completion_tokens) FROM reply WHERE endpoint = ? AND model = ? AND purpose = ?;

-- insert_batch: a batch begins, here only
INSERT INTO batch (token, owner, endpoint, model, file_id, remote_id, created_at, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- insert_batch_call: a call goes by this batch
INSERT INTO batch_call (key, token, prompt_version, level) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET token = excluded.token, prompt_version = excluded.prompt_version, level = excluded.level;

-- batch_uploaded: its calls are with the endpoint
UPDATE batch SET file_id = ? WHERE token = ?;

-- batch_submitted: the endpoint works on it
UPDATE batch SET remote_id = ? WHERE token = ?;

-- own_batch: who looks after it from here on, if it is still who did
UPDATE batch SET owner = ?, seen_at = ? WHERE token = ? AND owner = ?;

-- open_batches: those of an endpoint's model that aren't collected
SELECT token, owner, endpoint, model, file_id, remote_id, created_at, seen_at
FROM batch WHERE endpoint = ? AND model = ? ORDER BY created_at;

-- batch_calls: its calls without a result
SELECT batch_call.key, coalesce(claim.purpose, ''), prompt_version, level FROM batch_call LEFT JOIN claim ON claim.key = batch_call.key
WHERE token = ?;

-- unasked_batch: is this the owner of claims of a batch that was never uploaded?
SELECT 1 FROM batch WHERE 'batch:' || token || '|0|0|0' = ? AND file_id IS NULL;

-- held_claim: scope and worst case of a claim that its owner still has
SELECT scope, worst_usd FROM claim WHERE key = ? AND owner = ?;

-- delete_batch_call: it has its result
DELETE FROM batch_call WHERE key = ? AND token = ?;

-- delete_batch_calls: what is left of a batch's calls
DELETE FROM batch_call WHERE token = ?;

-- delete_batch: it is collected
DELETE FROM batch WHERE token = ?;
