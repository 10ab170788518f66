-- What a frontier model called the kind of a question whose dataset states none, and how the example came by it. A dataset's own kind stands
-- in `example` and is never changed. source: "asked" (this question was shown to the model), "same wording", "similar question".

ALTER TABLE kind ADD COLUMN name TEXT;
ALTER TABLE kind ADD COLUMN source TEXT;
ALTER TABLE kind ADD COLUMN asked_example BIGINT;
ALTER TABLE kind ADD COLUMN likeness DOUBLE;
ALTER TABLE kind ADD COLUMN frontier TEXT;

-- The named kind that all failures of a cluster have; none where their dataset states kinds, or where none was named.
ALTER TABLE cluster ADD COLUMN kind TEXT;
