"""People's photos, scans and drawings -> 28x28 digits; `image` is the entry point."""
