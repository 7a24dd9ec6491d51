// Where things are on the sheet of paper, in its own units.

export const SIDE = 280;

// Where something of this size goes on the sheet: left, top, scale.
export function fit(width, height) {
  const scale = SIDE / Math.max(width, height);
  return [(SIDE - width * scale) / 2, (SIDE - height * scale) / 2, scale];
}

// Which ninth of the sheet a point is in.
export function placeOf({ x, y }) {
  const third = (value) => Math.min(Math.floor((3 * value) / SIDE), 2);
  const words = [["Top", "Middle", "Bottom"][third(y)], ["left", "", "right"][third(x)]];
  return words.join(" ").trim();
}
