-- An answer that had not ended when it reached the longest length that was asked for; NULL: not known, as of imported ones.
ALTER TABLE prediction ADD COLUMN cut BOOLEAN;
