"""Learners that any modality may use."""
