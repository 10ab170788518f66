"""A prompt tried on one failure, and two versions compared on many."""
