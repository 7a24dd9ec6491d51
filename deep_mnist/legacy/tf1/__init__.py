"""Parts of TensorFlow 1 that neither today's TensorFlow nor one of libraries.py has."""
