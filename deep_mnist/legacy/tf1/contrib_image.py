"""tf.contrib.image: images rotated, translated and transformed by a projection."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "angles_to_projective_transforms",
    "compose_transforms",
    "flat_transforms_to_matrices",
    "matrices_to_flat_transforms",
    "rotate",
    "transform",
    "translate",
    "translations_to_projective_transforms",
]


def transform(
    images: Any,
    transforms: Any,
    interpolation: str = "NEAREST",
    output_shape: Any = None,
    name: Any = None,
) -> Any:
    """The output at (x, y) is the input at ((a x + b y + c) / k, (d x + e y + f) / k).

    k = g x + h y + 1.

    Args:
      images: [B, H, W, C], [H, W, C] or [H, W].
      transforms: [a, b, c, d, e, f, g, h], of each picture or of all.
      interpolation: "NEAREST" or "BILINEAR"; what lies outside is 0.
      output_shape: (H, W), those of the images if not given.
    """
    images = tf.convert_to_tensor(images)
    rank = images.shape.ndims
    batch = images[None, ..., None] if rank == 2 else images[None] if rank == 3 else images
    flat = tf.reshape(tf.cast(transforms, tf.float32), [-1, 8])
    size = tf.shape(batch)[1:3] if output_shape is None else tf.cast(output_shape, tf.int32)
    moved = tf.raw_ops.ImageProjectiveTransformV2(
        images=batch, transforms=flat, output_shape=size, interpolation=interpolation, name=name
    )
    if output_shape is None:
        moved.set_shape(batch.shape)
    return moved[0, ..., 0] if rank == 2 else moved[0] if rank == 3 else moved


def rotate(images: Any, angles: Any, interpolation: str = "NEAREST", name: Any = None) -> Any:
    """Turns pictures counterclockwise about their middle, by radians."""
    images = tf.convert_to_tensor(images)
    height, width = _size(images)
    turns = angles_to_projective_transforms(angles, height, width)
    return transform(images, turns, interpolation, name=name)


def translate(
    images: Any, translations: Any, interpolation: str = "NEAREST", name: Any = None
) -> Any:
    """Moves pictures by (dx, dy)."""
    moves = translations_to_projective_transforms(translations)
    return transform(images, moves, interpolation, name=name)


def angles_to_projective_transforms(
    angles: Any, image_height: Any, image_width: Any, name: Any = None
) -> Any:
    """Angles [B] or a scalar -> transforms [B, 8] about the middle."""
    angle = tf.reshape(tf.cast(angles, tf.float32), [-1])
    right, down = tf.cast(image_width, tf.float32) - 1, tf.cast(image_height, tf.float32) - 1
    cos, sin, none = tf.cos(angle), tf.sin(angle), tf.zeros_like(angle)
    across = (right - (cos * right - sin * down)) / 2
    along = (down - (sin * right + cos * down)) / 2
    return tf.stack([cos, -sin, across, sin, cos, along, none, none], 1)


def translations_to_projective_transforms(translations: Any, name: Any = None) -> Any:
    """(dx, dy) [B, 2] or [2] -> transforms [B, 8]."""
    moves = tf.reshape(tf.cast(translations, tf.float32), [-1, 2])
    one, none = tf.ones_like(moves[:, 0]), tf.zeros_like(moves[:, 0])
    return tf.stack([one, none, -moves[:, 0], none, one, -moves[:, 1], none, none], 1)


def flat_transforms_to_matrices(transforms: Any) -> Any:
    """[B, 8] -> [B, 3, 3]."""
    flat = tf.reshape(tf.cast(transforms, tf.float32), [-1, 8])
    return tf.reshape(tf.concat([flat, tf.ones_like(flat[:, :1])], 1), [-1, 3, 3])


def matrices_to_flat_transforms(matrices: Any) -> Any:
    """[B, 3, 3] -> [B, 8], with a last element of 1."""
    flat = tf.reshape(matrices, [-1, 9])
    return (flat / flat[:, 8:])[:, :8]


def compose_transforms(*transforms: Any) -> Any:
    """Transforms, the first of which is done first, as one: [B, 8]."""
    matrix = flat_transforms_to_matrices(transforms[0])
    for following in transforms[1:]:
        matrix = tf.matmul(matrix, flat_transforms_to_matrices(following))
    return matrices_to_flat_transforms(matrix)


def _size(images: Any) -> tuple[Any, Any]:
    shape = tf.shape(images)
    first = 1 if images.shape.ndims == 4 else 0
    return shape[first], shape[first + 1]
