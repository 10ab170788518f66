-- Pictures that are rendered from a spec instead of drawn from a prompt (data/picture_specs).

ALTER TABLE sample ADD COLUMN picture_spec JSON;  -- what is rendered, with its data; NULL: drawn from image_prompt, or an example's picture
ALTER TABLE sample ADD COLUMN answer_from JSON;  -- how the answer follows from that data; NULL: it isn't computed
