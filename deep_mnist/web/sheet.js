// The sheet of paper: strokes by mouse, pen, touch and keys, or a picture, with boxes on it.

const SIDE = 280; // of the drawing, in its own units
const PEN = 20;
const FILE_SIDE = 196; // pixels of the drawing that is sent: 7 for one that the models see
const STEP = 10; // of the keyboard's pen
const FINE_STEP = 2;

export class Sheet {
  // onInk() is called when there is something new to read, onPenUp() when that is all for now,
  // onBox(index) when a digit on a picture is pointed at.
  constructor(canvas, { onInk, onPenUp, onBox, say }) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.onInk = onInk;
    this.onPenUp = onPenUp;
    this.onBox = onBox;
    this.say = say;
    this.strokes = []; // each a list of [x, y]
    this.picture = null; // an ImageBitmap, or null while there is a drawing
    this.boxes = [];
    this.marked = 0; // the box that is chosen
    this.pointer = null; // id of the pointer that draws
    this.pen = { x: SIDE / 2, y: SIDE / 2, down: false }; // the keyboard's
    this.drawing = document.createElement("canvas");
    this.drawing.width = this.drawing.height = FILE_SIDE;

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
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  get isEmpty() {
    return !this.strokes.length && !this.picture;
  }

  clear() {
    this.strokes = [];
    this.pen.down = false;
    this.#show(null);
  }

  undo() {
    if (this.picture) return this.clear();
    this.pen.down = false;
    this.strokes.pop();
    this.#show(null);
  }

  // Shows a picture; bitmap is null where the browser can't decode what the server may.
  showPicture(bitmap) {
    this.strokes = [];
    this.#show(bitmap ?? new ImageData(1, 1));
  }

  // Marks the digits found: boxes in the coordinates of what was read, which is `size` large.
  mark(boxes, size, marked) {
    Object.assign(this, { boxes, size, marked });
    this.paint();
  }

  // The drawing as a file: black on white, whatever the colours of the page.
  file() {
    const context = this.drawing.getContext("2d", { willReadFrequently: true });
    context.setTransform(FILE_SIDE / SIDE, 0, 0, FILE_SIDE / SIDE, 0, 0);
    context.fillStyle = "white";
    context.fillRect(0, 0, SIDE, SIDE);
    this.#draw(context, "black");
    return new Promise((resolve) => this.drawing.toBlob(resolve));
  }

  paint() {
    const { canvas, context } = this;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const style = getComputedStyle(canvas);
    context.setTransform(side / SIDE, 0, 0, side / SIDE, 0, 0);
    context.clearRect(0, 0, SIDE, SIDE);
    if (this.picture instanceof ImageBitmap) {
      const [x, y, scale] = this.#fit(this.picture.width, this.picture.height);
      context.drawImage(this.picture, x, y, this.picture.width * scale, this.picture.height * scale);
    }
    this.#draw(context, style.color);
    this.#outline(context, style.getPropertyValue("--accent"), style.getPropertyValue("--quiet"));
    if (canvas.matches(":focus-visible")) this.#cursor(context, style.getPropertyValue("--accent"));
  }

  #show(picture) {
    this.picture?.close?.();
    this.picture = picture;
    this.boxes = [];
    this.paint();
    this.onInk();
    this.onPenUp();
  }

  #draw(context, colour) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    for (const points of this.strokes) {
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

  #outline(context, chosen, others) {
    if (!this.boxes.length || (this.boxes.length === 1 && !this.picture)) return;
    const [left, top, scale] = this.#fit(...this.size);
    this.boxes.forEach(([x, y, width, height], index) => {
      context.strokeStyle = index === this.marked ? chosen : others;
      context.lineWidth = index === this.marked ? 2 : 1;
      context.beginPath();
      context.roundRect(left + x * scale - 3, top + y * scale - 3, width * scale + 6, height * scale + 6, 4);
      context.stroke();
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

  // Where something of this size goes on the sheet: left, top, scale.
  #fit(width, height) {
    const scale = SIDE / Math.max(width, height);
    return [(SIDE - width * scale) / 2, (SIDE - height * scale) / 2, scale];
  }

  #point(event) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    return [((event.clientX - left) * SIDE) / width, ((event.clientY - top) * SIDE) / width];
  }

  #boxAt([pointX, pointY]) {
    if (!this.boxes.length) return -1;
    const [left, top, scale] = this.#fit(...this.size);
    const [x, y] = [(pointX - left) / scale, (pointY - top) / scale];
    return this.boxes.findIndex(
      ([boxX, boxY, width, height]) => x >= boxX && x < boxX + width && y >= boxY && y < boxY + height,
    );
  }

  #start(event) {
    if (this.pointer !== null || event.button !== 0) return;
    event.preventDefault(); // the canvas takes the focus by the keyboard only
    if (this.picture) {
      const index = this.#boxAt(this.#point(event));
      if (index !== -1) return this.onBox(index);
      this.clear();
    }
    this.pen.down = false;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    const point = this.#point(event);
    this.strokes.push([point, point]); // a tap is a dot
    this.boxes = [];
    this.paint();
    this.onInk();
  }

  #move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.strokes.at(-1).push(...(events.length ? events : [event]).map((each) => this.#point(each)));
    this.paint();
    this.onInk();
  }

  #end(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.onPenUp();
  }

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
    if (pen.down) this.strokes.at(-1).push([pen.x, pen.y]);
    this.paint();
    if (pen.down) this.onInk();
  }

  #lowerOrLift() {
    const { pen } = this;
    if (this.picture) this.clear();
    pen.down = !pen.down;
    this.say(pen.down ? "Pen down" : "Pen up");
    if (pen.down) {
      this.strokes.push([[pen.x, pen.y], [pen.x, pen.y]]);
      this.boxes = [];
      this.onInk();
    } else {
      this.onPenUp();
    }
    this.paint();
  }
}
