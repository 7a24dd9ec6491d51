"""What TensorFlow 1 had and today's has not, on raw ops; symbol_table.py says where."""
