"""Create saved/MODEL, the pretrained weights, from a finished run on MNIST.

    python benchmarks/save_pretrained.py saved/runs/benchmark/cnn-seed0

The directory gets the trainable variables, config.json, result.json and a README.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
from pathlib import Path
from typing import Any

from deep_mnist import lazy_tensorflow
from deep_mnist.checkpoints import npz_saver, paths
from deep_mnist.inference import PROGRAMS, Program
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import NumpySession, RunConfig, Session, run_directory
from deep_mnist.training import config as configs

SAVED = Path(__file__).parents[1] / "saved"

README = """\
# saved/{model}

The pretrained weights of `python -m deep_mnist.{model} --restore`: the trainable variables alone.

| | |
|---|---|
| trained by | `python -m deep_mnist.{model} {flags}`, {steps:,} steps on MNIST |
| test accuracy | {test_accuracy:.4f} |
| validation accuracy | {validation} |
| date | {date} |
| machine | {device} |
| versions | {versions} |

`config.json` has all settings, `result.json` the whole result.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path, help="directory of the run")
    run = parser.parse_args().run

    result = json.loads((run / run_directory.RESULT).read_text("utf-8"))
    if result["dataset"] != "mnist":
        raise SystemExit(f"{run}: expected a run on MNIST, found one on {result['dataset']}")
    directory = SAVED / result["model"]
    directory.mkdir(parents=True)

    lazy_tensorflow.import_quietly()
    program = PROGRAMS[result["model"]]
    config, run_config = run_directory.read_config(
        run / run_directory.CONFIG,
        program.name,
        program.module.Config,
        numpy_only=not program.has_graph,
    )
    find = paths.find if program.has_graph else npz_saver.find
    with tf.Graph().as_default():
        model = program.module.build(config)
        session = Session(model, run_config) if program.has_graph else NumpySession(model)
        with session:
            session.initialize()
            session.restore_weights(find(str(run)))
            if session.weights_sha256() != result["weights_sha256"]:
                raise SystemExit(f"{run}: the newest checkpoint is not the one of result.json")
            session.save_weights(directory, result["steps"])

    for name in (run_directory.CONFIG, run_directory.RESULT):
        shutil.copy(run / name, directory)
    finished = datetime.datetime.fromtimestamp((run / run_directory.RESULT).stat().st_mtime)
    validation = result["validation_accuracy"]
    readme = README.format(
        **{
            **result,
            "flags": flags(program, config, run_config),
            "validation": "no validation set" if validation is None else f"{validation:.4f}",
            "versions": ", ".join(f"{name} {v}" for name, v in result["versions"].items()),
            "date": finished.date(),
        }
    )
    (directory / "README.md").write_text(readme, "utf-8")


def flags(program: Program, config: Any, run_config: RunConfig) -> str:
    """Return the flags with which a command line has the settings of a run."""
    recipe = {"recipe": run_config.recipe} if run_config.recipe != "tutorial" else {}
    defaults = settings(
        program,
        *configs.create_configs(
            program.module.Config, configs.with_recipe(program.name, dict(recipe))
        ),
    )
    given = {
        name: value
        for name, value in settings(program, config, run_config).items()
        if name not in ("recipe", "dataset", "precision")
        and (value != defaults[name] or name == "seed")
    }
    return " ".join(f"{configs.flag(name)} {value}" for name, value in {**recipe, **given}.items())


def settings(program: Program, config: Any, run_config: RunConfig) -> dict[str, Any]:
    """Return the settings of a run by name."""
    return configs.settings_of(program.name, config, run_config, numpy_only=not program.has_graph)


if __name__ == "__main__":
    main()
