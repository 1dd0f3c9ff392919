"""Turning time into predictions: stages, their history, and what to run next. No torch, no modality."""
