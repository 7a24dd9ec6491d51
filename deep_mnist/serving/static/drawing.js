// The sheet of paper: strokes by mouse, pen, touch and keys, or a picture, with boxes on it.

import { greyBmp } from "./bmp.js";
import { shrunk } from "./pixels.js";
import { SIDE, fit, placeOf } from "./places.js";

const PEN = 20;
const SENT_SIDE = 140; // pixels of the drawing that is sent: 5 for one that the models see
const FLATTEST = 4; // width to height: a stroke that is flatter is no digit yet
const MOST_STATES = 100; // that can be taken back
const STEP = 10; // of the keyboard's pen
const FINE_STEP = 2;
const BEFORE_SAYING = 250; // ms that the keyboard's pen rests

const EMPTY = { strokes: [], file: null, picture: null };

export class Sheet {
  // onInk() is called when there is something new to read, onPenUp() when that is all for now,
  // onOther() when it has little to do with what was there, onBox(index) when a digit on a picture
  // is pointed at.
  constructor(canvas, { onInk, onPenUp, onOther, onBox, say }) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.onInk = onInk;
    this.onPenUp = onPenUp;
    this.onOther = onOther;
    this.onBox = onBox;
    this.say = say;
    // Strokes, each a list of [x, y]; or a file, and what it looks like where the browser knows.
    this.state = EMPTY;
    this.past = []; // the states before
    this.boxes = [];
    this.marked = 0; // the box that is chosen
    this.pointer = null; // id of the pointer that draws
    this.pen = { x: SIDE / 2, y: SIDE / 2, down: false }; // the keyboard's
    this.place = placeOf(this.pen); // where it was last said to be
    this.drawing = document.createElement("canvas");
    this.drawing.width = this.drawing.height = SENT_SIDE;

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

  get isPicture() {
    return this.state.file !== null;
  }

  get isEmpty() {
    return !this.isPicture && !this.state.strokes.length;
  }

  get canUndo() {
    return this.past.length > 0;
  }

  // Whether there may be a digit: a dot, or the bar that a 7 begins with, is none.
  get isReadable() {
    if (this.isPicture) return true;
    const { strokes } = this.state;
    const [width, height] = [0, 1].map((axis) => {
      const values = strokes.flat().map((point) => point[axis]);
      return values.reduce((a, b) => Math.max(a, b), 0) - values.reduce((a, b) => Math.min(a, b), SIDE);
    });
    return height >= PEN && (strokes.length > 1 || width + PEN < FLATTEST * (height + PEN));
  }

  clear() {
    if (this.isEmpty) return;
    this.#remember();
    this.#show(EMPTY);
    this.say("Cleared");
  }

  undo() {
    if (!this.canUndo) return;
    this.#show(this.past.pop());
    this.say("Taken back");
  }

  // Shows a picture file; bitmap is null where the browser can't decode what the server may.
  showPicture(file, bitmap) {
    this.#remember();
    this.#show({ strokes: [], file, picture: bitmap && shrunk(bitmap) });
  }

  // Marks the digits found: boxes in the coordinates of what was read, which is `size` large.
  mark(boxes, size, marked) {
    Object.assign(this, { boxes, size, marked });
    this.paint();
  }

  // What there is to read: the file, or the drawing as one, black on white in any theme.
  source() {
    if (this.isPicture) return this.state.file;
    const context = this.drawing.getContext("2d", { willReadFrequently: true });
    context.setTransform(SENT_SIDE / SIDE, 0, 0, SENT_SIDE / SIDE, 0, 0);
    context.fillStyle = "white";
    context.fillRect(0, 0, SIDE, SIDE);
    this.#draw(context, "black");
    return greyBmp(context.getImageData(0, 0, SENT_SIDE, SENT_SIDE));
  }

  paint() {
    const { canvas, context } = this;
    const { picture } = this.state;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const style = getComputedStyle(canvas);
    context.setTransform(side / SIDE, 0, 0, side / SIDE, 0, 0);
    context.clearRect(0, 0, SIDE, SIDE);
    if (picture) {
      const [x, y, scale] = fit(picture.width, picture.height);
      context.drawImage(picture, x, y, picture.width * scale, picture.height * scale);
    }
    this.#draw(context, style.color);
    const colour = (name) => style.getPropertyValue(`--${name}`);
    this.#outline(context, colour("accent"), colour("quiet"), colour("ground"));
    if (canvas.matches(":focus-visible")) this.#cursor(context, colour("accent"));
  }

  #remember() {
    this.past.push(this.state);
    if (this.past.length > MOST_STATES) this.past.shift();
  }

  #show(state) {
    this.state = state;
    this.pen.down = false;
    this.pointer = null; // a stroke that is under way ends here
    this.boxes = [];
    this.paint();
    this.onOther();
    this.onInk();
    this.onPenUp();
  }

  #begin(point) {
    this.#remember();
    this.state = { ...EMPTY, strokes: [...this.state.strokes, [point, point]] }; // a tap is a dot
    this.boxes = [];
    this.paint();
    this.onInk();
  }

  #go(points) {
    this.state.strokes.at(-1).push(...points);
    this.paint();
    this.onInk();
  }

  #draw(context, colour) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    for (const points of this.state.strokes) {
      context.beginPath();
      context.moveTo(...points[0]);
      // Through the middles of the segments, bent by their ends: a smooth line.
      for (let i = 1; i < points.length - 1; i++) {
        const [x, y] = points[i];
        const [nextX, nextY] = points[i + 1];
        context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
      }
      context.lineTo(...points.at(-1));
      context.stroke();
    }
  }

  #outline(context, chosen, others, halo) {
    if (!this.boxes.length || (this.boxes.length === 1 && !this.isPicture)) return;
    const [left, top, scale] = fit(...this.size);
    this.boxes.forEach(([x, y, width, height], index) => {
      context.beginPath();
      context.roundRect(left + x * scale - 3, top + y * scale - 3, width * scale + 6, height * scale + 6, 4);
      const line = index === this.marked ? 2 : 1;
      // A picture may have any colour: around the line is one that it stands out from.
      for (const [colour, thickness] of [[halo, line + 2], [index === this.marked ? chosen : others, line]]) {
        context.strokeStyle = colour;
        context.lineWidth = thickness;
        context.stroke();
      }
    });
  }

  #cursor(context, colour) {
    const { x, y, down } = this.pen;
    context.beginPath();
    context.arc(x, y, PEN / 2, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = context.fillStyle = colour;
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

  // By mouse, pen and touch -----------------------------------------------------

  #start(event) {
    if (this.pointer !== null || event.button !== 0) return;
    event.preventDefault(); // the canvas takes the focus by the keyboard only
    const point = this.#point(event);
    const index = this.isPicture ? this.#boxAt(point) : -1;
    if (index !== -1) return this.onBox(index);
    if (this.isPicture) this.onOther();
    this.pen.down = false;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.#begin(point);
  }

  #move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.#go((events.length ? events : [event]).map((each) => this.#point(each)));
  }

  #end(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.onPenUp();
  }

  // By keys -----------------------------------------------------------------------

  #key(event) {
    const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in directions) this.#steer(directions[event.key], event.shiftKey ? FINE_STEP : STEP);
    else if (event.key === " ") this.#lowerOrLift();
    else if (event.key === "Backspace") this.undo();
    else if (event.key === "Delete") this.clear();
    else return;
    event.preventDefault();
  }

  #steer([x, y], step) {
    const { pen } = this;
    const inside = (value) => Math.min(Math.max(value, PEN / 2), SIDE - PEN / 2);
    pen.x = inside(pen.x + x * step);
    pen.y = inside(pen.y + y * step);
    if (pen.down) this.#go([[pen.x, pen.y]]);
    else this.paint();
    clearTimeout(this.saying);
    this.saying = setTimeout(() => this.#sayPlace(), BEFORE_SAYING);
  }

  #sayPlace() {
    const place = placeOf(this.pen);
    if (place !== this.place) this.say(place);
    this.place = place;
  }

  #lowerOrLift() {
    const { pen } = this;
    pen.down = !pen.down;
    this.say(pen.down ? "Pen down" : "Pen up");
    if (pen.down) {
      if (this.isPicture) this.onOther();
      this.#begin([pen.x, pen.y]);
    } else {
      this.paint();
      this.onPenUp();
    }
  }
}
