"""tf.contrib.tensorboard.plugins.projector: writes projector_config.pbtxt next to the events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["EmbeddingInfo", "ProjectorConfig", "SpriteMetadata", "visualize_embeddings"]


class SpriteMetadata:
    """The picture of all examples and the size of one of them."""

    def __init__(self) -> None:
        self.image_path = ""
        self.single_image_dim: list[int] = []


class EmbeddingInfo:
    """A tensor to look at and what is known of its rows."""

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
    """What TensorBoard's projector shows."""

    def __init__(self) -> None:
        self.model_checkpoint_path = ""
        self.embeddings = _Embeddings()

    def text(self) -> str:
        """The configuration as protocol-buffer text."""
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
    """Writes the configuration where the writer, or a path, says."""
    folder = summary_writer if isinstance(summary_writer, str) else summary_writer.get_logdir()
    Path(str(folder), "projector_config.pbtxt").write_text(config.text(), "utf-8")


def _fields(indent: str, **fields: str) -> list[str]:
    return [f'{indent}{name}: "{value}"' for name, value in fields.items() if value]
