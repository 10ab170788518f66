"""What a round changed: checkpoints compared, the evidence bundle, a workspace's summary."""
