"""Any checkpoint asked about any picture, outside of datasets and rounds; a child process holds the weights and answers."""
