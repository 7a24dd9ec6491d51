"""What tf_upgrade_v2's engine rewrites in `port`: r0.x's names and orders of arguments."""

from __future__ import annotations

import ast
from typing import Any

from deep_mnist.legacy import symbol_table

SUMMARIES = {
    "scalar_summary": "summary.scalar",
    "histogram_summary": "summary.histogram",
    "image_summary": "summary.image",
    "audio_summary": "summary.audio",
}
CROSS_ENTROPIES = (
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
    "sigmoid_cross_entropy_with_logits",
)


def specification() -> Any:
    """The rules, in the form that ast_edits.ASTCodeUpgrader takes."""
    from tensorflow.tools.compatibility import ast_edits

    rules = ast_edits.NoUpdateSpec()
    rules.symbol_renames = {
        f"tf.{old}": f"tf.{new}"
        for old, new in {**symbol_table.RENAMED, **SUMMARIES}.items()
        if not old.startswith("contrib.")
    }
    rules.function_keyword_renames = {
        "tf.batch_matmul": {"adj_x": "adjoint_a", "adj_y": "adjoint_b"},
        "tf.select": {"t": "x", "e": "y"},
        "tf.image_summary": {"max_images": "max_outputs", "tag": "name"},
        "tf.scalar_summary": {"tags": "name", "values": "tensor"},
        "tf.histogram_summary": {"tag": "name"},
        "tf.nn.sigmoid_cross_entropy_with_logits": {"targets": "labels"},
        "tf.concat": {"concat_dim": "axis"},
        "tf.split": {"split_dim": "axis", "num_split": "num_or_size_splits"},
    }
    # Rewrites by the call as it stands: the engine calls them by these very argument names.
    rules.function_transformers = {
        "tf.concat": _axis_by_name(("axis", "values"), "tf.concat"),
        "tf.split": _axis_by_name(("axis", "num_or_size_splits", "value"), "tf.split"),
        **{f"tf.nn.{name}": _logits_by_name for name in CROSS_ENTROPIES},
        **{f"tf.nn.{name}": _text_is_name for name in ("softmax", "log_softmax")},
        "tf.image.resize_images": _size_as_list,
    }
    return rules


def _axis_by_name(order: tuple[str, ...], function: str) -> Any:
    """Names the arguments where the first is a number, as r0.x had it."""

    def transform(parent: Any, node: ast.Call, full_name: str, name: str, logs: Any) -> Any:
        from tensorflow.tools.compatibility import ast_edits

        if not node.args or not _is_number(node.args[0]):
            return None
        _to_keywords(node, order)
        logs.append(
            (ast_edits.INFO, node.lineno, node.col_offset, f"{function}: arguments by name")
        )
        return node

    return transform


def _logits_by_name(parent: Any, node: ast.Call, full_name: str, name: str, logs: Any) -> Any:
    from tensorflow.tools.compatibility import ast_edits

    if not node.args or (isinstance(node.args[0], ast.Constant) and node.args[0].value is None):
        return None
    _to_keywords(node, ("logits", "labels", "name"))
    logs.append((ast_edits.INFO, node.lineno, node.col_offset, f"{full_name}: arguments by name"))
    return node


def _text_is_name(parent: Any, node: ast.Call, full_name: str, name: str, logs: Any) -> Any:
    """Until 0.11 the second argument was the name, as it is where it is a text."""
    from tensorflow.tools.compatibility import ast_edits

    if len(node.args) != 2 or not _is_constant(node.args[1], str):
        return None
    node.keywords.insert(0, ast.keyword(arg="name", value=node.args.pop()))
    logs.append((ast_edits.INFO, node.lineno, node.col_offset, f"{full_name}: name by name"))
    return node


def _size_as_list(parent: Any, node: ast.Call, full_name: str, name: str, logs: Any) -> Any:
    """Until 0.10 height and width were two arguments."""
    from tensorflow.tools.compatibility import ast_edits

    if len(node.args) < 3 or not all(_is_constant(size, int) for size in node.args[1:3]):
        return None
    node.args[1:3] = [ast.List(elts=node.args[1:3], ctx=ast.Load())]
    logs.append((ast_edits.INFO, node.lineno, node.col_offset, f"{full_name}: size as a list"))
    return node


def _is_constant(node: ast.expr, kind: type) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, kind)


def _to_keywords(node: ast.Call, order: tuple[str, ...]) -> None:
    positional = list(zip(order, node.args, strict=False))
    node.args = []
    node.keywords = [ast.keyword(arg=key, value=value) for key, value in positional] + node.keywords


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int)
