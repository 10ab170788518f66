"""Weights on disk: what is checked before they are loaded, how model and processor are made of them, and how a model is asked."""
