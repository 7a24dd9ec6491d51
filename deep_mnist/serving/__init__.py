"""The page's server: what `python -m deep_mnist.serve` runs.

Read in this order:

    app.py      the routes, and every refusal as JSON
    bodies.py   the body of a request -> 784 pixels, or a picture file
    reader.py   what the models say of them
    gate.py     a bounded queue before the pictures, and one before the models
    hosts.py    which requests are meant for us
    server.py   waitress, with a time for every request

The page itself is in static/, which the browser asks for part by part.
"""
