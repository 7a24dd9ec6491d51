"""Rewrite calls whose arguments had other names or another order in TensorFlow r0.x.

tf_upgrade_v2, which comes with TensorFlow, rewrites programs of 1.x and knows nothing of r0.x. Its
engine, ast_edits, parses and prints programs with google-pasta, which since Python 3.9 fails on
slices such as `a[(i + 1) * 28:n, :]`. So calls are edited in place here.
"""

from __future__ import annotations

import ast
import re

from deep_mnist.legacy import symbol_table
from deep_mnist.legacy.port.edits import Edits, Note, dotted, end, starred_modules, start
from deep_mnist.legacy.port.helpers import Helpers

__all__ = ["rewrite_arguments"]

HERE = symbol_table.HERE
# Functions -> the names of their arguments by position until 0.12; these are written by name.
BY_NAME = {
    "nn.softmax_cross_entropy_with_logits": ("logits", "labels", "name"),
    "nn.sparse_softmax_cross_entropy_with_logits": ("logits", "labels", "name"),
    "nn.sigmoid_cross_entropy_with_logits": ("logits", "labels", "name"),
    "batch_matmul": ("a", "b", "adjoint_a", "adjoint_b", "name"),
}
# The same where the first argument is a number: the axis was the first.
AXIS_FIRST = {
    "concat": ("axis", "values", "name"),
    "split": ("axis", "num_or_size_splits", "value", "name"),
}
KEYWORDS = {
    "argmax": {"dimension": "axis"},
    "argmin": {"dimension": "axis"},
    "batch_matmul": {"x": "a", "y": "b", "adj_x": "adjoint_a", "adj_y": "adjoint_b"},
    "concat": {"concat_dim": "axis"},
    "select": {"t": "x", "e": "y"},
    "split": {"split_dim": "axis", "num_split": "num_or_size_splits"},
    "image_summary": {"max_images": "max_outputs", "tag": "name"},
    "scalar_summary": {"tags": "name", "values": "tensor"},
    "histogram_summary": {"tag": "name"},
    "nn.sigmoid_cross_entropy_with_logits": {"targets": "labels"},
}
# Functions -> today's, which symbol_table.py does not have because their arguments differ.
RENAMED = {
    "batch_matmul": "matmul",
    "scalar_summary": "summary.scalar",
    "histogram_summary": "summary.histogram",
    "image_summary": "summary.image",
    "audio_summary": "summary.audio",
}
# Flags that absl defines when TensorFlow imports it.
ABSL_FLAGS = frozenset(
    """alsologtostderr log_dir logger_levels logtostderr only_check_args pdb pdb_post_mortem
    profile_file run_with_pdb run_with_profiling showprefixforinfo stderrthreshold
    test_random_seed test_randomize_ordering_seed test_srcdir test_tmpdir
    use_cprofile_for_profiling v verbosity xml_output_file""".split()
)
SEQUENCES = (ast.List, ast.Tuple, ast.ListComp)
BEFORE_1_0 = re.compile(
    r"\btf\.(mul|sub|neg|pack|unpack|select|batch_matmul|merge_all_summaries|\w+_summary"
    r"|train\.SummaryWriter)\b"
)
CELL = re.compile(r"\w+(RNN|LSTM|GRU)Cell$")


def rewrite_arguments(text: str, helpers: Helpers) -> tuple[str, list[Note]]:
    """Return a program with calls that today's functions accept, and what was changed.

    Args:
      text: the program, as Python 3 with the names of any release before 2.0.
      helpers: what the program needs of the bridge; added to.
    """
    program = _Program(text, helpers)
    return program.text, program.changed


class _Program:
    def __init__(self, text: str, helpers: Helpers) -> None:
        self.changed: list[Note] = []
        self._tree = ast.parse(text)
        self._edits = Edits(text)
        self._helpers = helpers
        self._heads = {
            alias.asname or alias.name
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.name == "tensorflow" or (alias.name == symbol_table.V1 and alias.asname)
        } | ({"tf"} & starred_modules(self._tree).keys())
        self._reads_epochs = bool(re.search(r"\bnum_epochs\b|\blimit_epochs\b", text))
        self._reads_epochs &= not re.search(
            r"\b(initialize_local_variables|local_variables_)", text
        )
        self._before_1_0 = BEFORE_1_0.search(text) is not None
        self._on_gpu = ".device(" in text and "gpu" in text.lower()
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call):
                self._call(node)
        self.text = self._edits.applied()

    def _call(self, node: ast.Call) -> None:
        head, _, path = (dotted(node.func) or "").partition(".")
        last = path.rpartition(".")[2] or head
        if head in self._heads and path:
            self._keywords(node, path)
            if path in AXIS_FIRST:
                self._axis(node, path)
            elif path in BY_NAME and not _is_none(node.args[:1]):
                self._by_name(node, BY_NAME[path])
            elif path in ("nn.softmax", "nn.log_softmax"):
                if len(node.args) == 2 and _is(node.args[1], str):
                    self._edits.insert(self._edits.argument_start(node, 1), "name=")
                    self._note(node, "name by name")
            elif path == "image.resize_images" and len(node.args) >= 3:
                if all(_is(size, int) for size in node.args[1:3]):
                    self._edits.insert(start(node.args[1]), "[")
                    self._edits.insert(end(node.args[2]), "]")
                    self._note(node, "size as a list")
            elif path == "reverse":
                self._reverse(node)
            elif path in ("zeros_initializer", "ones_initializer"):
                if node.args and isinstance(node.args[0], ast.List | ast.Tuple):
                    self._rename(node, f"{head}.{path.removesuffix('_initializer')}")
            elif path == "initialize_all_variables" and self._reads_epochs:
                parts = (
                    f"{head}.global_variables_initializer(), {head}.local_variables_initializer()"
                )
                self._edits.replace(node, f"{head}.group({parts})")
                self._note(node, "local variables too, which count epochs")
            elif path in ("Session", "InteractiveSession", "ConfigProto") and self._on_gpu:
                self._place_softly(node, head, path)
            if path in RENAMED:
                self._rename(node, f"{head}.{RENAMED[path]}")
        if CELL.match(last):
            self._cell(node, last)
        if last.startswith("DEFINE_"):
            self._flag(node, last)

    def _drop(self, node: ast.Call, name: str) -> None:
        """Remove a keyword argument that had no effect."""
        given: list[ast.expr | ast.keyword] = sorted([*node.args, *node.keywords], key=start)
        for number, argument in enumerate(given):
            if isinstance(argument, ast.keyword) and argument.arg == name:
                first = end(given[number - 1]) if number else start(argument)
                is_only = len(given) == 1
                last = end(argument) if number or is_only else start(given[number + 1])
                self._edits.remove(first, last)
                self._note(node, f"{name} had no effect")

    def _keywords(self, node: ast.Call, path: str) -> None:
        if path.endswith("cross_entropy_with_logits"):
            self._drop(node, "_sentinel")
        renamed = KEYWORDS.get(path, {})
        for keyword in node.keywords:
            new = renamed.get(str(keyword.arg))
            if new is not None:
                first = start(keyword)
                last = first[0], first[1] + len(str(keyword.arg))
                self._edits.replace_between(first, last, str(keyword.arg), new)
                self._note(node, f"{keyword.arg} is {new}")

    def _axis(self, node: ast.Call, path: str) -> None:
        """Write the arguments by name where the axis is first; ask at run time if unknown."""
        if len(node.args) < 2 or any(isinstance(arg, ast.Starred) for arg in node.args):
            return
        values_second = path == "concat" and isinstance(node.args[1], SEQUENCES)
        if self._is_number(node.args[0]) or values_second:
            self._by_name(node, AXIS_FIRST[path])
        elif self._before_1_0 and not isinstance(node.args[0], SEQUENCES):
            name = self._helpers.use(f"{HERE}.arguments", path)
            if name is not None and not self._is_number(node.args[-1]):
                self._rename(node, name)

    def _by_name(self, node: ast.Call, order: tuple[str, ...]) -> None:
        if not node.args or any(isinstance(arg, ast.Starred) for arg in node.args):
            return
        for number, (name, _) in enumerate(zip(order, node.args, strict=False)):
            self._edits.insert(self._edits.argument_start(node, number), f"{name}=")
        self._note(node, "arguments by name")

    def _reverse(self, node: ast.Call) -> None:
        """Write the flags of r0.x's `dims` as axes."""
        dims = [k.value for k in node.keywords if k.arg == "dims"] or node.args[1:2]
        if not dims or not isinstance(dims[0], ast.List | ast.Tuple):
            return
        flags = [flag.value for flag in dims[0].elts if _is(flag, bool)]  # type: ignore[attr-defined]
        if flags and len(flags) == len(dims[0].elts):
            axes = [number for number, flag in enumerate(flags) if flag]
            self._edits.replace(dims[0], str(axes))
            self._note(node, f"the flags of dims are axis {axes}")

    def _place_softly(self, node: ast.Call, head: str, path: str) -> None:
        """Let `tf.device("/gpu:0")` mean a GPU only if there is one."""
        given = {keyword.arg for keyword in node.keywords}
        if path == "ConfigProto":
            added = "" if "allow_soft_placement" in given else "allow_soft_placement=True"
        else:
            has_config = "config" in given or None in given or len(node.args) > 2
            added = f"config={head}.ConfigProto(allow_soft_placement=True)"
            added = "" if has_config else added
        if added:
            self._edits.append_argument(node, added)
            self._note(node, "devices are placed softly: without a GPU on the CPU")

    def _cell(self, node: ast.Call, last: str) -> None:
        """Drop `input_size`, which had no effect, and give repeated cells their own weights."""
        self._drop(node, "input_size")
        if last == "MultiRNNCell" and any(_repeats(child) for child in ast.walk(self._tree)):
            name = self._helpers.use(f"{HERE}.cells", "MultiRNNCell")
            if name is not None:
                self._rename(node, name)

    def _flag(self, node: ast.Call, last: str) -> None:
        """Give a flag its help, and let it replace one of the same name in absl."""
        has_help = any(keyword.arg in ("help", "docstring") for keyword in node.keywords)
        added = []
        if len(node.args) == 2 and not has_help:
            added.append('help=""')
        name = node.args[0] if node.args else None
        if isinstance(name, ast.Constant) and name.value in ABSL_FLAGS:
            added.append("allow_override=True")
        if added:
            self._edits.append_argument(node, ", ".join(added))
            self._note(node, ", ".join(added))

    def _rename(self, node: ast.Call, new: str) -> None:
        self._edits.replace(node.func, new)
        self.changed.append(Note(node.lineno, f"{ast.unparse(node.func)} is {new}"))

    def _note(self, node: ast.Call, what: str) -> None:
        self.changed.append(Note(node.lineno, f"{ast.unparse(node.func)}: {what}"))

    def _is_number(self, node: ast.expr) -> bool:
        """Whether an expression is an integer: written so, or a name only bound to integers."""
        if isinstance(node, ast.UnaryOp):
            node = node.operand
        if not isinstance(node, ast.Name):
            return _is(node, int)
        values = [
            child.value
            for child in ast.walk(self._tree)
            if isinstance(child, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == node.id for t in child.targets)
        ]
        return bool(values) and all(_is(value, int) for value in values)


def _is(node: ast.expr, kind: type) -> bool:
    """Whether an expression is a constant of a type; True is not an int here."""
    return isinstance(node, ast.Constant) and type(node.value) is kind


def _is_none(nodes: list[ast.expr]) -> bool:
    return any(isinstance(node, ast.Constant) and node.value is None for node in nodes)


def _repeats(node: ast.AST) -> bool:
    """Whether an expression is `[cell] * number`."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mult)
        and any(
            isinstance(side, ast.List) and any(not isinstance(e, ast.Constant) for e in side.elts)
            for side in (node.left, node.right)
        )
    )
