"""Virtual environments for the frameworks that deep_mnist does not depend on."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

FRAMEWORKS = Path(__file__).parent / "frameworks"
DIRECTORY = Path(__file__).parent / ".venvs"


def python(name: str, directory: Path) -> Path:
    """Return the interpreter of the environment directory/NAME.

    The environment is created from frameworks/requirements-NAME.txt if it does not exist or was
    created from other requirements.
    """
    requirements = FRAMEWORKS / f"requirements-{name}.txt"
    expected = requirements.read_text("utf-8")
    environment = directory / name
    interpreter = environment / "bin" / "python"
    installed = environment / requirements.name
    if not installed.exists() or installed.read_text("utf-8") != expected:
        print(f"creating {environment}", flush=True)
        venv.create(environment, clear=True, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", "--requirement", str(requirements)]
        subprocess.run([interpreter, *install], check=True)
        installed.write_text(expected, "utf-8")
    return interpreter
