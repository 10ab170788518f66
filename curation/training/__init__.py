"""What a finetune is trained on: approved samples and replayed examples."""
