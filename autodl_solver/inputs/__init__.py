"""Inputs: a user's own data (arrays, tables, texts, files) as rows of the solver. Knows nothing of learning."""
