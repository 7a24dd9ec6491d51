"""Charts of runs: `python -m deep_mnist.report RUN...`.

Modules, in reading order:

    runs.py              the files of a run's directory
    predictions.py       what its model predicts for the test images
    charts.py            the charts that a set of runs gets
    accuracy.py          test accuracy of several runs
    curves.py            training curves
    published.py         values of the source documents (published.json), and those of runs
    confusion.py         confusion matrix
    misclassified.py     the most confident errors
    filters.py           weights of the first layer, feature maps
    digits.py            images and their labels
    gradient_check.py    gradients of deep_mnist.autodiff, compared with TensorFlow's
    figure.py            a figure in the style of deep_mnist.mplstyle, and its file
    page.py              all charts on one page (page.html.jinja)
    notebook.py          charts as values of a notebook's cells
"""
