"""Notebooks: IPython's syntax, cell by cell execution, and a real Jupyter kernel."""

import json
import os
import re
import subprocess
import sys

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import ipython_syntax
from deep_mnist.legacy.notebook import Notebook


def write_notebook(path, *cells, **metadata):
    empty = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    code = [{**empty, "source": cell.splitlines(True)} for cell in cells]
    markdown = {"cell_type": "markdown", "metadata": {}, "source": ["# no code"]}
    book = {"cells": [markdown, *code], "metadata": metadata, "nbformat": 4, "nbformat_minor": 2}
    path.write_text(json.dumps(book))


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("%time acc = train()", "with __ipython__.timed(): acc = train()"),
        ("    %time f()", "    with __ipython__.timed(): f()"),
        ("%timeit -n 10 -r3 f(x)", "with __ipython__.timed(): f(x)"),
        ("x = %time f()", "x = f()"),
        ("%time for i in y: f(i)", "for i in y: f(i)"),
        ("%matplotlib inline", "pass"),
        ("%load_ext autoreload", "pass"),
        ("%cd ..", "__ipython__.skip('%cd ..')"),
        ("!pip install tensorflow", "__ipython__.skip('!pip install tensorflow')"),
        ("files = !ls", "files = __ipython__.skip('!ls', [])"),
        ("tf.Session?", "__ipython__.skip('tf.Session?')"),
        ("?tf.Session", "__ipython__.skip('?tf.Session')"),
        ("%%bash\nls\nrm x", "__ipython__.skip('%%bash')"),
        ("%%writefile a.py\nx = 1\n", "__ipython__.write_file('a.py', 'x = 1\\n')"),
        ("%%capture out\nx = 1", "\nx = 1"),
        ("x = 5 \\\n%y", "x = 5 \\\n%y"),
        ("x = (5\n%y)\n!ls", "x = (5\n%y)\n__ipython__.skip('!ls')"),
        ("x = '''\n!ls\n'''", "x = '''\n!ls\n'''"),
        ("!a \\\n  --flag\nx", "__ipython__.skip('!a \\\\')\n\nx"),
        (
            "print 'Python 2', 7 % 2\n%time x",
            "print 'Python 2', 7 % 2\nwith __ipython__.timed(): x",
        ),
    ],
)
def test_ipython_syntax_as_python(line, python):
    assert ipython_syntax.translated(line).text == python


def test_a_timed_cell_is_run():
    assert ipython_syntax.translated("%%time\nx = 1\ny = 2") == ("\nx = 1\ny = 2", True)
    assert ipython_syntax.translated("\n%%timeit -n 5 a = 2\nx = a") == ("\na = 2\nx = a", True)


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Standard output and standard error of `legacy run` of three notebooks."""
    directory = tmp_path_factory.mktemp("notebooks")
    write_notebook(
        directory / "new.ipynb",
        "%matplotlib inline\nimport tensorflow as tf\ncalls = []\ndef train():\n"
        "    calls.append(1)\n    return len(calls)\n!ls\nnames = !ls",
        "from __future__ import print_function\n%time acc = train()\n%timeit -n 3 train()",
        "%%time\nacc += 1",
        "%%writefile written_by_a_cell.py\nvalue = 42",
        "from written_by_a_cell import value\nfrom IPython.display import Image\n!ls",
        "display(value, 'a')\nget_ipython().magic('matplotlib inline')",
        "print(acc, len(calls), value, names, tf.Session().run(tf.constant(3)))\nacc + 1",
        "acc + 1;",
        "# no value\nprint('end')",
        language_info={"name": "python", "version": "3.6.8"},
    )
    write_notebook(
        directory / "old.ipynb",
        "import numpy as np\nsteps = 100",
        "print(len(np.zeros(steps / 20)), 7 / 2)",
        "from __future__ import division",
        "print(7 / 2)",
        language_info={"name": "python", "version": "2.7.12"},
    )
    write_notebook(directory / "fails.ipynb", "def f(x):\n    return 1 / x", "y = 2\n\nf(0)")
    command = (
        "import sys; from deep_mnist.legacy.__main__ import main\n"
        "for name in ('new', 'old', 'fails'): print('exit', main(['run', name + '.ipynb']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=directory, capture_output=True, text=True, check=True
    )
    out = done.stdout.split("exit ")
    return [text.splitlines() for text in out], done.stderr


def test_cells_run_one_by_one_in_one_namespace(ended):
    assert ended[0][0] == ["42", "'a'", "2 2 42 [] 3", "3", "end"]


def test_what_is_skipped_is_reported_once(ended):
    warnings = [line for line in ended[1].splitlines() if line.startswith("warning")]
    assert warnings == ["warning: legacy run: new.ipynb, cell 1, line 7: !ls is skipped"]
    assert len(re.findall("^Wall time: ", ended[1], re.M)) == 3


def test_metadata_of_python_2_means_its_division(ended):
    pytest.importorskip("fissix")
    assert ended[0][1] == ["0", "5 3", "3.5"]


def test_a_traceback_shows_the_cell_and_its_line(ended):
    assert ended[0][2:] == [["0"], ["1"]]
    assert re.sub(r"\n +[~^]+$", "", ended[1], flags=re.M).endswith(
        "Traceback (most recent call last):\n"
        '  File "fails.ipynb, cell 2", line 3, in <module>\n    f(0)\n'
        '  File "fails.ipynb, cell 1", line 2, in f\n    return 1 / x\n'
        "ZeroDivisionError: division by zero\n"
    )


def test_a_notebook_in_another_language_is_an_error(tmp_path):
    path = tmp_path / "a.ipynb"
    write_notebook(path, "x <- 1", language_info={"name": "R"})
    with pytest.raises(DeepMnistError, match="expected a notebook in Python, found one in r"):
        Notebook(path)
    path.write_text("{}")
    with pytest.raises(DeepMnistError, match="expected a Jupyter notebook, found other JSON"):
        Notebook(path)


def test_notebooks_of_2015_are_read(tmp_path):
    path = tmp_path / "a.ipynb"
    cell = {"cell_type": "code", "language": "python", "input": ["x = 1\n", "print(x)"]}
    path.write_text(json.dumps({"worksheets": [{"cells": [cell]}], "metadata": {"name": "a"}}))
    assert Notebook(path).cells == ["x = 1\nprint(x)"]


KERNEL = """
import json, sys, nbclient, nbformat
book = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(book, timeout=120, allow_errors=True).execute()
for cell in book.cells:
    for output in cell.get('outputs', ()):
        print(output.get('text') or output.get('evalue') or output['data']['text/plain'])
"""


def run_in_jupyter(path):
    pytest.importorskip("ipykernel")
    pytest.importorskip("nbclient")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KERNEL, path],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if line]


def test_the_extension_gives_tf1_to_a_kernel(tmp_path):
    (tmp_path / "helper.py").write_text(
        "import tensorflow as tf\ndef double(x):\n    return tf.mul(x, 2)\n"
    )
    write_notebook(
        tmp_path / "a.ipynb",
        "%load_ext deep_mnist.legacy",
        "import tensorflow as tf\nfrom helper import double\nx = tf.placeholder('float', [None])",
        "with tf.Session() as sess:\n    y = sess.run(double(x), {x: [1.5]})\ny, tf.__version__",
        "%time z = 1",
        "%reload_ext deep_mnist.legacy\ntf.Session",
    )
    lines = run_in_jupyter(tmp_path / "a.ipynb")
    assert lines[0] == "(array([3.], dtype=float32), '1.15.5')"
    assert lines[1].startswith("CPU times")
    assert lines[-1] == "tensorflow.python.client.session.Session"


def test_the_extension_is_refused_after_tensorflow(tmp_path):
    write_notebook(
        tmp_path / "a.ipynb",
        "import sys, types\nsys.modules['tensorflow'] = types.ModuleType('tensorflow')",
        "%load_ext deep_mnist.legacy",
    )
    assert run_in_jupyter(tmp_path / "a.ipynb") == [
        "TensorFlow was imported before deep_mnist.legacy.enable() was called",
        "hint: restart the kernel or process, and call enable() or %load_ext deep_mnist.legacy "
        "before TensorFlow is imported",
    ]


def test_enable_in_a_script(tmp_path):
    script = (
        "import deep_mnist.legacy\ndeep_mnist.legacy.enable()\n"
        "import tensorflow as tf\nprint(tf.Session().run(tf.sub(3, 1)), tf.__version__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "2 1.15.5\n"


def test_a_notebook_runs_where_ipython_is_not_installed(tmp_path):
    hide = (
        "from importlib.machinery import PathFinder\n"
        "find_spec = PathFinder.find_spec\n"
        "def hidden(name, path=None, target=None):\n"
        "    return None if name.startswith('IPython') else find_spec(name, path, target)\n"
        "PathFinder.find_spec = hidden\n"
    )
    (tmp_path / "sitecustomize.py").write_text(hide)
    write_notebook(
        tmp_path / "book.ipynb",
        "from IPython.display import Image, display\nfrom IPython import get_ipython",
        "display(Image('a.png'))\nprint(get_ipython() is not None)",
    )
    done = subprocess.run(
        [sys.executable, "-m", "deep_mnist.legacy", "run", "book.ipynb"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "<Image>\nTrue\n"), done.stderr
