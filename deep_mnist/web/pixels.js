// Grey values on small canvases: the text's colour on the paper's, so that themes hold.

export function paintPixels(canvas, values, side, largest) {
  canvas.width = canvas.height = side;
  const [red, green, blue] = getComputedStyle(canvas).color.match(/[\d.]+/g).map(Number);
  const image = new ImageData(side, side);
  values.forEach((value, i) => image.data.set([red, green, blue, (255 * value) / largest], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}
