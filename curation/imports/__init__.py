"""What is imported, before it is: uploaded files, a preview of a dataset, predictions joined with a dataset."""
