"""The web page and the JSON API of `python -m deep_mnist.serve`, on FastAPI and uvicorn."""
