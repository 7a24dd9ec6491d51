"""The legacy bridge: old scripts and old checkpoints on today's TensorFlow."""
