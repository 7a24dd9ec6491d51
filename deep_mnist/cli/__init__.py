"""The command line of the programs.

Modules, in reading order:

    flags.py         from flags to settings
    launch.py        from settings to a training run
    exit_codes.py    error messages and exit codes of every command
"""

from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import Parser
from deep_mnist.cli.launch import launch

__all__ = ["Parser", "exit_code", "launch"]
