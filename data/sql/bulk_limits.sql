-- :name sample_fails_bulk_limits
-- Whether a filter that can't be overridden in bulk fails a sample t, or has not judged it yet; $leaking holds the bits of these filters. A fragment.
(t.failed & $leaking::UBIGINT <> 0 OR t.judged & $leaking::UBIGINT <> $leaking::UBIGINT)

-- :name bulk_approvals_over_limits
-- Approvals in bulk, not taken back, of samples that fail a filter which can't be overridden in bulk.
SELECT r.review_id, r.sample_id, r.revision, r.reviewer FROM review r JOIN sample_state t ON t.sample_id = r.sample_id AND t.revision = r.revision
WHERE t.failed & $leaking::UBIGINT <> 0 AND ($sample_ids IS NULL OR t.sample_id IN (SELECT unnest($sample_ids::BIGINT[])))
  AND r.action = 'approve' AND r.batch_id IS NOT NULL AND NOT EXISTS (FROM review u WHERE u.undoes = r.review_id)

-- :name touch_bulk_approvals_over_limits
-- Touches the samples whose approvals in bulk are to be taken back.
INSERT INTO touched SELECT DISTINCT sample_id FROM ({bulk_approvals_over_limits})

-- :name bulk_approvals_withdraw
-- Takes them back: each gets its reversal in the log, in the name of whoever approved, with the reason.
INSERT INTO review (sample_id, revision, action, reviewer, undoes, note, event_id)
SELECT sample_id, revision, 'undo', reviewer, review_id, $note, 'barred ' || review_id FROM ({bulk_approvals_over_limits}) ORDER BY review_id
