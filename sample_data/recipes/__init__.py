"""One recipe per sample dataset: where its examples come from and how they are labelled. Knows nothing of files."""
