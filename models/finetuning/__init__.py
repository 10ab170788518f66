"""The parts of a finetune: what is asked for, how rows become batches, what is checked first, how it trains."""
