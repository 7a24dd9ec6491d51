"""Shims for what NumPy, SciPy, matplotlib, Pillow and Python 2 offered to TF1-era scripts."""
