"""PyTorch toolbox. Knows nothing of modalities."""
