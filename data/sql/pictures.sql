-- :name sample_of_picture
-- A further picture of a sample becomes a sample: the text as it stands now, the same origin, a seed and a key of its own.
INSERT INTO sample (key, round, failure_id, diagnosis_id, dataset, error_type, route, difficulty, skill, contrast, question, choices, answer, image_prompt, seed, frontier, replies,
                    job_id)
SELECT $key, s.round, s.failure_id, s.diagnosis_id, s.dataset, s.error_type, s.route, s.difficulty, s.skill, s.contrast, t.question, t.choices, t.answer, s.image_prompt,
       $seed, s.frontier, s.replies, s.job_id
FROM sample s JOIN sample_state t USING (sample_id)
WHERE s.sample_id = $sample_id AND NOT EXISTS (FROM sample o WHERE o.key = $key)

-- :name samples_by_key
-- The numbers of samples with these keys.
SELECT key, sample_id FROM sample WHERE list_contains($keys::TEXT[], key)
