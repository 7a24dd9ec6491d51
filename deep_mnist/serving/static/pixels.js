// Small canvases, of gray values and of images.

const MAX_SIDE = 1120; // pixels of an image that is kept to be shown

// Paint in the color of the text, which depends on the theme.
export function paintPixels(canvas, values, side, largest) {
  canvas.width = canvas.height = side;
  const [red, green, blue] = getComputedStyle(canvas).color.match(/[\d.]+/g).map(Number);
  const image = new ImageData(side, side);
  values.forEach((value, i) => image.data.set([red, green, blue, (255 * value) / largest], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Shrink an image to the largest size that is shown: the undo history holds many.
export function shrunk(bitmap) {
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}
