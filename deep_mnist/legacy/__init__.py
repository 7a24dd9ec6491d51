"""What people still have of TensorFlow 1 MNIST programs, on today's TensorFlow.

    python -m deep_mnist.legacy run SCRIPT           runs an old script as it stands
    python -m deep_mnist.legacy port SCRIPT          writes it out for tensorflow.compat.v1
    python -m deep_mnist.legacy checkpoint PATH      what an old checkpoint is, and its conversion

Read in this order:

    run.py          a script, from its file to its exit code
    source.py       its text: any encoding, notebooks; python2.py translates it
    imports.py      what its imports give it
    facade.py       the `tensorflow` that it sees, looked up in names.py, the table of old names
    tf1/            what today's TensorFlow has not, on raw ops
    removed.py      what is said of the rest; missing.py: of packages that are not installed
    downloads.py plots.py *_of_the_time.py scipy_misc.py pickle2.py    the rest of its world
    port.py         the same table written into the script; port_rules.py
    checkpoint.py   old checkpoints, explained and converted
"""
