"""Virtual environments for the frameworks that deep_mnist's own doesn't have."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
PLACE = Path(__file__).parent / ".venvs"


def python(name: str, place: Path) -> Path:
    """The interpreter of place/NAME, which holds what peers/requirements-NAME.txt pins.

    The environment is made where it isn't there yet, or was made of other requirements.
    """
    requirements = PEERS / f"requirements-{name}.txt"
    wanted = requirements.read_text("utf-8")
    directory = place / name
    interpreter = directory / "bin" / "python"
    installed = directory / requirements.name
    if not installed.exists() or installed.read_text("utf-8") != wanted:
        print(f"setting up {directory}", flush=True)
        venv.create(directory, clear=True, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", "--requirement", str(requirements)]
        subprocess.run([interpreter, *install], check=True)
        installed.write_text(wanted, "utf-8")
    return interpreter
