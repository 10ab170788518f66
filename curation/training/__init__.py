"""What a finetune is trained on: its plan (options, approved samples, recipe) and the examples replayed beside the samples."""
