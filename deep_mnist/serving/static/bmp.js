// Gray pixels as a BMP file, in a millisecond. canvas.toBlob compresses when the page is idle, which
// in Chromium takes up to a second, and longer while somebody draws.

const HEADER = 54;
const PALETTE = 4 * 256;

export function grayBmp({ width, height, data }) {
  const row = Math.ceil(width / 4) * 4;
  const bytes = new Uint8Array(HEADER + PALETTE + row * height);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4d42, true); // "BM"
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, HEADER + PALETTE, true);
  view.setUint32(14, 40, true); // size of the second header
  view.setInt32(18, width, true);
  view.setInt32(22, -height, true); // the first row is the top one
  view.setUint16(26, 1, true); // plane
  view.setUint16(28, 8, true); // bits a pixel
  for (let gray = 0; gray < 256; gray++) bytes.fill(gray, HEADER + 4 * gray, HEADER + 4 * gray + 3);
  for (let y = 0; y < height; y++) {
    const start = HEADER + PALETTE + row * y;
    for (let x = 0; x < width; x++) bytes[start + x] = data[4 * (width * y + x)];
  }
  return new Blob([bytes]);
}
