"""What leaves a workspace: approved samples in the formats of trainers, checkpoints as adapters or merged weights, both to the hub."""
