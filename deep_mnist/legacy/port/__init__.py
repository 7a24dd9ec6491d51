"""Write a TF1 script as a program for tensorflow.compat.v1 that runs without this project.

    python -m deep_mnist.legacy port SCRIPT [-o OUT] [--check [SECONDS]]
    python -m deep_mnist.legacy port PROJECT_DIR -o OUT_DIR [--check [SECONDS]]

The report on standard error names each line that was changed, and each that needs review. Exit
codes: 0 everything was ported and, with --check, all of it ran; 1 otherwise, as reported; 2 it
cannot be ported. Read in this order:

    command.py           the command line
    script.py            the steps for one script
    python2.py           division and what else fissix leaves of Python 2
    arguments.py         names and orders of arguments of r0.x
    tensorflow_names.py  imports and names of TensorFlow, Keras and the tutorial's data module
    libraries.py         where an object of TensorFlow 1 is today
    helpers.py           functions and classes of the bridge, as source
    library_names.py     names of NumPy, SciPy, Pillow, matplotlib and Python
    notebooks.py         magics
    verify.py            what today's libraries do not have, for the report
    project.py           all modules of a project
    check.py             runs the original and the port
    edits.py             replacements in a text
"""

from deep_mnist.legacy.port.command import main

__all__ = ["main"]
