"""What TensorFlow 1 had and today's has not, on raw ops; names.py says where."""
