-- What a failure needs and a sample practises, in a short phrase ("shortest bar"), and samples that are the contrast of others.

ALTER TABLE diagnosis ADD COLUMN skill TEXT;  -- NULL: diagnosed before skills were asked for

CREATE OR REPLACE VIEW current_diagnosis AS
    SELECT * FROM diagnosis QUALIFY row_number() OVER (PARTITION BY failure_id ORDER BY diagnosis_id DESC) = 1;

ALTER TABLE sample ADD COLUMN skill TEXT;  -- as the proposal states it; NULL: proposed before it had to
ALTER TABLE sample ADD COLUMN contrast BOOLEAN DEFAULT false;  -- asks the opposite that the checkpoint can do, so that it isn't lost
