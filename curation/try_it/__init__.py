"""Any checkpoint asked about any picture, outside of datasets and rounds."""
