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
    """Return transformed images.

    The output at (x, y) is the input at ((a x + b y + c) / k, (d x + e y + f) / k), with
    k = g x + h y + 1.

    Args:
      images: [B, H, W, C], [H, W, C] or [H, W].
      transforms: [a, b, c, d, e, f, g, h], of each image or of all.
      interpolation: "NEAREST" or "BILINEAR"; what lies outside is 0.
      output_shape: (H, W), those of the images if not given.
      name: of the operation.
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
    """Rotate images counterclockwise about their center, by angles in radians."""
    images = tf.convert_to_tensor(images)
    height, width = _size(images)
    turns = angles_to_projective_transforms(angles, height, width)
    return transform(images, turns, interpolation, name=name)


def translate(
    images: Any, translations: Any, interpolation: str = "NEAREST", name: Any = None
) -> Any:
    """Translate images by (dx, dy)."""
    moves = translations_to_projective_transforms(translations)
    return transform(images, moves, interpolation, name=name)


def angles_to_projective_transforms(
    angles: Any, image_height: Any, image_width: Any, name: Any = None
) -> Any:
    """Return the transforms [B, 8] of angles [B], or of a scalar, about the center."""
    angle = tf.reshape(tf.cast(angles, tf.float32), [-1])
    right, down = tf.cast(image_width, tf.float32) - 1, tf.cast(image_height, tf.float32) - 1
    cos, sin, none = tf.cos(angle), tf.sin(angle), tf.zeros_like(angle)
    across = (right - (cos * right - sin * down)) / 2
    along = (down - (sin * right + cos * down)) / 2
    return tf.stack([cos, -sin, across, sin, cos, along, none, none], 1)


def translations_to_projective_transforms(translations: Any, name: Any = None) -> Any:
    """Return the transforms [B, 8] of translations (dx, dy), [B, 2] or [2]."""
    moves = tf.reshape(tf.cast(translations, tf.float32), [-1, 2])
    one, none = tf.ones_like(moves[:, 0]), tf.zeros_like(moves[:, 0])
    return tf.stack([one, none, -moves[:, 0], none, one, -moves[:, 1], none, none], 1)


def flat_transforms_to_matrices(transforms: Any) -> Any:
    """Return the matrices [B, 3, 3] of transforms [B, 8]."""
    flat = tf.reshape(tf.cast(transforms, tf.float32), [-1, 8])
    return tf.reshape(tf.concat([flat, tf.ones_like(flat[:, :1])], 1), [-1, 3, 3])


def matrices_to_flat_transforms(matrices: Any) -> Any:
    """Return the transforms [B, 8] of matrices [B, 3, 3], scaled to a last element of 1."""
    flat = tf.reshape(matrices, [-1, 9])
    return (flat / flat[:, 8:])[:, :8]


def compose_transforms(*transforms: Any) -> Any:
    """Return one transform [B, 8] that applies the given ones in order."""
    matrix = flat_transforms_to_matrices(transforms[0])
    for following in transforms[1:]:
        matrix = tf.matmul(matrix, flat_transforms_to_matrices(following))
    return matrices_to_flat_transforms(matrix)


def _size(images: Any) -> tuple[Any, Any]:
    shape = tf.shape(images)
    first = 1 if images.shape.ndims == 4 else 0
    return shape[first], shape[first + 1]
