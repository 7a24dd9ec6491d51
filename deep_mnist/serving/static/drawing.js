// The drawing area: strokes by mouse, pen, touch and keyboard, or an image, with bounding boxes.

import { grayBmp } from "./bmp.js";
import { shrunk } from "./pixels.js";
import { SIDE, fit, regionOf } from "./coordinates.js";

const PEN = 20;
const SENT_SIDE = 140; // pixels of the drawing that is sent: 5 for each of the 28 that the models get
const MAX_ASPECT_RATIO = 4; // width to height: a flatter stroke is not a digit yet
const MAX_UNDO = 100;
const STEP = 10; // of the keyboard's pen
const FINE_STEP = 2;
const BEFORE_ANNOUNCING = 250; // ms that the keyboard's pen rests

const EMPTY = { strokes: [], file: null, image: null };

export class Drawing {
  // onChange() is called when the drawing has changed, onPenUp() when a stroke has ended, onReplace()
  // when another drawing or image replaces it, onBox(index) when a digit of an image is clicked, and
  // announce(text) for a screen reader.
  constructor(canvas, { onChange, onPenUp, onReplace, onBox, announce }) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.onChange = onChange;
    this.onPenUp = onPenUp;
    this.onReplace = onReplace;
    this.onBox = onBox;
    this.announce = announce;
    // Strokes, each a list of [x, y]; or a file, and its image if the browser can decode it.
    this.state = EMPTY;
    this.history = []; // previous states
    this.boxes = [];
    this.selected = 0; // index of the selected box
    this.pointer = null; // ID of the pointer that draws
    this.pen = { x: SIDE / 2, y: SIDE / 2, down: false }; // moved by the keyboard
    this.region = regionOf(this.pen); // as announced last
    this.sent = document.createElement("canvas");
    this.sent.width = this.sent.height = SENT_SIDE;

    canvas.addEventListener("pointerdown", (event) => this.#start(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#end(event));
    canvas.addEventListener("pointercancel", (event) => this.#end(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => this.paint());
    canvas.addEventListener("blur", () => {
      this.pen.down = false;
      this.paint();
      this.onPenUp();
    });
    new ResizeObserver(() => this.paint()).observe(canvas);
    for (const feature of ["prefers-color-scheme: dark", "forced-colors: active"]) {
      matchMedia(`(${feature})`).addEventListener("change", () => this.paint());
    }
  }

  get isImage() {
    return this.state.file !== null;
  }

  get isEmpty() {
    return !this.isImage && !this.state.strokes.length;
  }

  get canUndo() {
    return this.history.length > 0;
  }

  // Whether there may be a digit: a dot is not one, and neither is the horizontal bar of a 7.
  get mayBeDigit() {
    if (this.isImage) return true;
    const { strokes } = this.state;
    const [width, height] = [0, 1].map((axis) => {
      const values = strokes.flat().map((point) => point[axis]);
      return values.reduce((a, b) => Math.max(a, b), 0) - values.reduce((a, b) => Math.min(a, b), SIDE);
    });
    return height >= PEN && (strokes.length > 1 || width + PEN < MAX_ASPECT_RATIO * (height + PEN));
  }

  clear() {
    if (this.isEmpty) return;
    this.#remember();
    this.#show(EMPTY);
    this.announce("Cleared");
  }

  undo() {
    if (!this.canUndo) return;
    this.#show(this.history.pop());
    this.announce("Undone");
  }

  // Show an image file; bitmap is null if the browser cannot decode it.
  showImage(file, bitmap) {
    this.#remember();
    this.#show({ strokes: [], file, image: bitmap && shrunk(bitmap) });
  }

  // Show bounding boxes, in the coordinates of an image of this size.
  showBoxes(boxes, size, selected) {
    Object.assign(this, { boxes, size, selected });
    this.paint();
  }

  // Return the image file, or the drawing as a file, black on white in any theme.
  toFile() {
    if (this.isImage) return this.state.file;
    const context = this.sent.getContext("2d", { willReadFrequently: true });
    context.setTransform(SENT_SIDE / SIDE, 0, 0, SENT_SIDE / SIDE, 0, 0);
    context.fillStyle = "white";
    context.fillRect(0, 0, SIDE, SIDE);
    this.#draw(context, "black");
    return grayBmp(context.getImageData(0, 0, SENT_SIDE, SENT_SIDE));
  }

  paint() {
    const { canvas, context } = this;
    const { image } = this.state;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const style = getComputedStyle(canvas);
    context.setTransform(side / SIDE, 0, 0, side / SIDE, 0, 0);
    context.clearRect(0, 0, SIDE, SIDE);
    if (image) {
      const [x, y, scale] = fit(image.width, image.height);
      context.drawImage(image, x, y, image.width * scale, image.height * scale);
    }
    this.#draw(context, style.color);
    const color = (name) => style.getPropertyValue(`--${name}`);
    this.#outline(context, color("accent"), color("quiet"), color("ground"));
    if (canvas.matches(":focus-visible")) this.#cursor(context, color("accent"));
  }

  #remember() {
    this.history.push(this.state);
    if (this.history.length > MAX_UNDO) this.history.shift();
  }

  #show(state) {
    this.state = state;
    this.pen.down = false;
    this.pointer = null; // ends the current stroke
    this.boxes = [];
    this.paint();
    this.onReplace();
    this.onChange();
    this.onPenUp();
  }

  #begin(point) {
    this.#remember();
    this.state = { ...EMPTY, strokes: [...this.state.strokes, [point, point]] }; // a tap is a dot
    this.boxes = [];
    this.paint();
    this.onChange();
  }

  #extend(points) {
    this.state.strokes.at(-1).push(...points);
    this.paint();
    this.onChange();
  }

  #draw(context, color) {
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    for (const points of this.state.strokes) {
      context.beginPath();
      context.moveTo(...points[0]);
      // A smooth line through the midpoints of the segments.
      for (let i = 1; i < points.length - 1; i++) {
        const [x, y] = points[i];
        const [nextX, nextY] = points[i + 1];
        context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
      }
      context.lineTo(...points.at(-1));
      context.stroke();
    }
  }

  #outline(context, selectedColor, otherColor, halo) {
    if (!this.boxes.length || (this.boxes.length === 1 && !this.isImage)) return;
    const [left, top, scale] = fit(...this.size);
    this.boxes.forEach(([x, y, width, height], index) => {
      context.beginPath();
      context.roundRect(left + x * scale - 3, top + y * scale - 3, width * scale + 6, height * scale + 6, 4);
      const line = index === this.selected ? 2 : 1;
      const color = index === this.selected ? selectedColor : otherColor;
      // An image may have any color: the halo separates the line from it.
      for (const [style, thickness] of [[halo, line + 2], [color, line]]) {
        context.strokeStyle = style;
        context.lineWidth = thickness;
        context.stroke();
      }
    });
  }

  #cursor(context, color) {
    const { x, y, down } = this.pen;
    context.beginPath();
    context.arc(x, y, PEN / 2, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = context.fillStyle = color;
    context.stroke();
    if (down) context.fill();
  }

  #point(event) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    return [((event.clientX - left) * SIDE) / width, ((event.clientY - top) * SIDE) / width];
  }

  #boxAt([pointX, pointY]) {
    if (!this.boxes.length) return -1;
    const [left, top, scale] = fit(...this.size);
    const [x, y] = [(pointX - left) / scale, (pointY - top) / scale];
    return this.boxes.findIndex(
      ([boxX, boxY, width, height]) => x >= boxX && x < boxX + width && y >= boxY && y < boxY + height,
    );
  }

  // Mouse, pen and touch -----------------------------------------------------

  #start(event) {
    if (this.pointer !== null || event.button !== 0) return;
    event.preventDefault(); // only the keyboard focuses the canvas
    const point = this.#point(event);
    const index = this.isImage ? this.#boxAt(point) : -1;
    if (index !== -1) return this.onBox(index);
    if (this.isImage) this.onReplace();
    this.pen.down = false;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.#begin(point);
  }

  #move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.#extend((events.length ? events : [event]).map((each) => this.#point(each)));
  }

  #end(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.onPenUp();
  }

  // Keyboard -----------------------------------------------------------------------

  #key(event) {
    const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in directions) this.#movePen(directions[event.key], event.shiftKey ? FINE_STEP : STEP);
    else if (event.key === " ") this.#togglePen();
    else if (event.key === "Backspace") this.undo();
    else if (event.key === "Delete") this.clear();
    else return;
    event.preventDefault();
  }

  #movePen([x, y], step) {
    const { pen } = this;
    const inside = (value) => Math.min(Math.max(value, PEN / 2), SIDE - PEN / 2);
    pen.x = inside(pen.x + x * step);
    pen.y = inside(pen.y + y * step);
    if (pen.down) this.#extend([[pen.x, pen.y]]);
    else this.paint();
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => this.#announceRegion(), BEFORE_ANNOUNCING);
  }

  #announceRegion() {
    const region = regionOf(this.pen);
    if (region !== this.region) this.announce(region);
    this.region = region;
  }

  #togglePen() {
    const { pen } = this;
    pen.down = !pen.down;
    this.announce(pen.down ? "Pen down" : "Pen up");
    if (pen.down) {
      if (this.isImage) this.onReplace();
      this.#begin([pen.x, pen.y]);
    } else {
      this.paint();
      this.onPenUp();
    }
  }
}
