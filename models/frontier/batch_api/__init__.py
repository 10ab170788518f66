"""OpenAI's Batch API: calls gathered into files, uploaded, followed, and answered within a day at half the price."""
