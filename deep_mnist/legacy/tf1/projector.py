"""tf.contrib.tensorboard.plugins.projector: writes projector_config.pbtxt next to the events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["EmbeddingInfo", "ProjectorConfig", "SpriteMetadata", "visualize_embeddings"]


class SpriteMetadata:
    """The image of all examples, and the size of one of them."""

    def __init__(self) -> None:
        self.image_path = ""
        self.single_image_dim: list[int] = []


class EmbeddingInfo:
    """A tensor of embeddings, and the files of its metadata."""

    def __init__(self) -> None:
        self.tensor_name = ""
        self.tensor_path = ""
        self.metadata_path = ""
        self.sprite = SpriteMetadata()


class _Embeddings(list[EmbeddingInfo]):
    def add(self) -> EmbeddingInfo:
        self.append(EmbeddingInfo())
        return self[-1]


class ProjectorConfig:
    """The configuration of TensorBoard's projector."""

    def __init__(self) -> None:
        self.model_checkpoint_path = ""
        self.embeddings = _Embeddings()

    def text(self) -> str:
        """Return the configuration as protocol-buffer text."""
        lines = _fields("", model_checkpoint_path=self.model_checkpoint_path)
        for embedding in self.embeddings:
            lines.append("embeddings {")
            lines += _fields(
                "  ",
                tensor_name=embedding.tensor_name,
                metadata_path=embedding.metadata_path,
                tensor_path=embedding.tensor_path,
            )
            if embedding.sprite.image_path:
                lines.append("  sprite {")
                lines += _fields("    ", image_path=embedding.sprite.image_path)
                sizes = [f"    single_image_dim: {n}" for n in embedding.sprite.single_image_dim]
                lines += [*sizes, "  }"]
            lines.append("}")
        return "\n".join(lines) + "\n"


def visualize_embeddings(summary_writer: Any, config: ProjectorConfig) -> None:
    """Write the configuration into the directory of a writer, or into a directory."""
    directory = summary_writer if isinstance(summary_writer, str) else summary_writer.get_logdir()
    Path(str(directory), "projector_config.pbtxt").write_text(config.text(), "utf-8")


def _fields(indent: str, **fields: str) -> list[str]:
    return [f'{indent}{name}: "{value}"' for name, value in fields.items() if value]
