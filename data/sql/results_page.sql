-- :name results_checkpoints
-- All checkpoints with what they were trained from and how many eval examples they have answered.
SELECT c.checkpoint_id, c.name, c.parent, c.run_id, count(e.example_id) AS eval
FROM checkpoint c LEFT JOIN prediction p USING (checkpoint_id) LEFT JOIN example e ON e.example_id = p.example_id AND e.split = 'eval'
GROUP BY ALL ORDER BY c.checkpoint_id
