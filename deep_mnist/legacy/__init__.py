"""What people still have of TensorFlow 1 MNIST programs, on today's TensorFlow.

    python -m deep_mnist.legacy run SCRIPT           runs an old script as it stands
    python -m deep_mnist.legacy port SCRIPT          writes it out for tensorflow.compat.v1
    python -m deep_mnist.legacy checkpoint PATH      what an old checkpoint is, and its conversion

Read in this order:

    run.py          a script, from its file to its exit code
    source.py       its text: any encoding, notebooks; shims/python2.py translates it
    imports.py      what its imports give it
    tf1_module.py   the `tensorflow` that it sees, looked up in symbol_table.py, the table of names
    tf1/            what today's TensorFlow has not, on raw ops
    unsupported.py  names that are not covered; install_hints.py: packages that are not installed
    tf1_mode.py     sets TensorFlow to graph mode
    shims/          NumPy, SciPy, matplotlib, Pillow and Python 2; downloads.py plots.py
    port.py         the same table written into the script; port_rules.py
    checkpoint.py   old checkpoints, explained and converted
"""
