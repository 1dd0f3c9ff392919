"""From records to arrays. Knows nothing of learning."""
