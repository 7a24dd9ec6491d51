// Coordinates on the drawing area, which is SIDE x SIDE units large.

export const SIDE = 280;

// Return left, top and scale of an image of this size, fitted into the drawing area.
export function fit(width, height) {
  const scale = SIDE / Math.max(width, height);
  return [(SIDE - width * scale) / 2, (SIDE - height * scale) / 2, scale];
}

// Return the name of the ninth of the drawing area that a point is in.
export function regionOf({ x, y }) {
  const third = (value) => Math.min(Math.floor((3 * value) / SIDE), 2);
  const words = [["Top", "Middle", "Bottom"][third(y)], ["left", "", "right"][third(x)]];
  return words.join(" ").trim();
}
