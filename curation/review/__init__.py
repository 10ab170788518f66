"""People's decisions on samples: the queue, assignments, blinding, agreement between reviewers, handwritten samples."""
