"""What frontier calls cost: spend so far, what filters will cost, the price table."""
