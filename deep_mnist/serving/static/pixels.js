// Small canvases: of grey values, and of pictures.

const PICTURE_SIDE = 1120; // pixels, most, of a picture that is kept to be shown

// The text's colour on the paper's, so that themes hold.
export function paintPixels(canvas, values, side, largest) {
  canvas.width = canvas.height = side;
  const [red, green, blue] = getComputedStyle(canvas).color.match(/[\d.]+/g).map(Number);
  const image = new ImageData(side, side);
  values.forEach((value, i) => image.data.set([red, green, blue, (255 * value) / largest], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// A picture as large as it is ever shown: those that can be taken back hold little memory.
export function shrunk(bitmap) {
  const scale = Math.min(1, PICTURE_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}
