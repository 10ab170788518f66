"""A prompt tried on one failure, and two versions of it compared on many. Nothing of it enters the loop."""
