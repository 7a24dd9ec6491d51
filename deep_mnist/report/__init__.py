"""`python -m deep_mnist.report RUN...`: pictures of runs, and a page of them.

Read in this order:

    __main__.py      the command line
    runs.py          what a run directory says
    predictions.py   what the run's weights say of the test digits
    charts.py        which pictures a set of runs gets
    curves.py  accuracy.py  confusion.py  misclassified.py  filters.py  published.py
                     a picture each: measured by NumPy, drawn on a sheet
    documents.py     the figures that the source documents print
    figure.py        one sheet: size, colours, words; PNG and SVG, the same bytes every time
    page.py          the sheets on one self-contained page

matplotlib is loaded when something is drawn, TensorFlow when a run's weights are read.
"""
