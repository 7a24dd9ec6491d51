// The page: the drawing or image is sent to the server, and its predictions are shown.

import { getFeatureMaps, getModels, predict } from "./api.js";
import { Drawing } from "./drawing.js";
import { paintPixels } from "./pixels.js";
import { Predictions } from "./predictions.js";

const INTERVAL = 30; // ms between requests while the pen is down
const BEFORE_ANNOUNCING = 700; // ms without change, so that a screen reader is not flooded
const MAX_BYTES = 20_000_000;
const TOO_SMALL = "No digit yet: draw it larger.";

const $ = (id) => document.getElementById(id);

const drawing = new Drawing($("drawing"), {
  onChange: change,
  onPenUp: settle,
  onReplace: () => request?.abort(),
  onBox: (index) => predictions.select(index),
  announce,
});
let predictions = null;
let version = 0; // of the drawing
let sentVersion = 0;
let shownVersion = 0; // whose predictions are shown
let request = null; // AbortController of the current request; there is one at a time
let sentAt = -Infinity;
let changedAt = 0;
let isPenUp = true;
let drawingError = "";
let otherError = ""; // is shown until the drawing changes
let timer = null;
let announcing = null;

start();

async function start() {
  try {
    const listed = await getModels();
    const parts = ["digits", "models", "bars", "accuracy", "accuracies", "summaries"];
    const elements = Object.fromEntries(parts.map((id) => [id, $(id)]));
    predictions = new Predictions(elements, listed.models, listed.default, select);
    settle();
  } catch (error) {
    showError(error.message);
  }
}

// Predictions -----------------------------------------------------------------

function change() {
  version++;
  changedAt = performance.now();
  isPenUp = false;
  otherError = "";
  $("hint").hidden = !drawing.isEmpty;
  const isFocused = [$("undo"), $("clear")].includes(document.activeElement);
  $("undo").disabled = !drawing.canUndo;
  $("clear").disabled = drawing.isEmpty;
  if (isFocused && document.activeElement.disabled) drawing.canvas.focus();
  sendSoon();
}

function settle() {
  isPenUp = true;
  clearTimeout(timer);
  timer = null;
  if (shownVersion === version) showErrors();
  else sendSoon();
}

function sendSoon() {
  if (!predictions || request || timer !== null || sentVersion === version) return;
  const wait = isPenUp ? 0 : sentAt + INTERVAL - performance.now();
  if (wait <= 0) send();
  else timer = setTimeout(() => ((timer = null), send()), wait);
}

async function send() {
  const [sent, at] = [version, changedAt];
  sentVersion = sent;
  if (!drawing.mayBeDigit) return show({ digits: [] }, sent, drawing.isEmpty ? "" : TOO_SMALL);
  request = new AbortController();
  sentAt = performance.now();
  const { signal } = request;
  if (drawing.isImage) {
    predictions.show([]); // a large image takes a while, and these are of another one
    $("latency").textContent = "Classifying…";
  }
  let response = { digits: [] };
  let message = "";
  try {
    response = await predict(drawing.toFile(), signal);
  } catch (error) {
    message = error.status === 422 && !drawing.isImage ? TOO_SMALL : error.message;
  }
  request = null;
  if (!signal.aborted) {
    show(response, sent, message);
    if (!message) $("latency").textContent = `Classified in ${Math.round(performance.now() - at)} ms`;
  }
  sendSoon();
}

function show({ digits, size }, itsVersion, message) {
  shownVersion = itsVersion;
  drawingError = message;
  predictions.show(digits);
  drawing.showBoxes(digits.map((digit) => digit.box), size, predictions.selected);
  showErrors();
  if (!digits.length) $("latency").textContent = "";
  announce(predictions.sentence(), BEFORE_ANNOUNCING);
  showFeatureMaps();
}

function select(index) {
  drawing.selected = index;
  drawing.paint();
  announce(predictions.sentenceOfSelected());
  showFeatureMaps();
}

function showError(message) {
  otherError = message;
  showErrors();
}

function showErrors() {
  $("message").textContent = otherError || (isPenUp ? drawingError : ""); // not while drawing
}

// Predictions are announced once nothing has changed for a while, the state of the pen at once.
function announce(sentence, delay = 0) {
  const status = $("status");
  if (!delay) {
    const isSame = status.textContent === sentence;
    status.textContent = isSame ? `${sentence}\u00a0` : sentence; // only a change is read aloud
    return;
  }
  clearTimeout(announcing);
  if (sentence) announcing = setTimeout(() => (status.textContent = sentence), delay);
}

// Feature maps ----------------------------------------------------------------

let mapsOf = null; // the pixels of the latest request

async function showFeatureMaps() {
  const pixels = predictions?.digits[predictions.selected]?.pixels;
  if (!$("maps").open || pixels === mapsOf) return;
  mapsOf = pixels;
  if (!pixels) {
    document.querySelectorAll(".grid").forEach((grid) => grid.replaceChildren());
    return;
  }
  try {
    const { layers } = await getFeatureMaps(pixels);
    if (mapsOf !== pixels) return;
    document.querySelectorAll(".grid").forEach((grid, index) => paintMaps(grid, layers[index]));
  } catch (error) {
    showError(error.message);
  }
}

function paintMaps(grid, { size, maps }) {
  while (grid.children.length < maps.length) grid.append(document.createElement("canvas"));
  maps.forEach((map, index) => paintPixels(grid.children[index], map, size, 255));
}

$("maps").addEventListener("toggle", showFeatureMaps);

// Images ----------------------------------------------------------------------

let latest = 0; // number of the file that was opened last; an earlier one may be decoded later

async function openImage(file) {
  const number = ++latest;
  if (file.size > MAX_BYTES) {
    showError(`${file.name} is larger than ${MAX_BYTES / 1e6} MB: make the image smaller.`);
    return;
  }
  const bitmap = await createImageBitmap(file).catch(() => null);
  try {
    // If neither the browser nor the server can decode it, the drawing stays.
    if (!bitmap && number === latest) await predict(file);
    if (number === latest) drawing.showImage(file, bitmap);
  } catch (error) {
    if (number === latest) showError(error.message);
  } finally {
    bitmap?.close();
  }
}

// Return the first image of several files, or the first file; undefined if there is none.
const firstImage = (files) => [...files].find((file) => file.type.startsWith("image/")) ?? files[0];

$("open").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  if ($("file").files.length) openImage($("file").files[0]);
  $("file").value = ""; // so that the same file can be opened again
});

document.addEventListener("paste", (event) => {
  const file = firstImage(event.clipboardData.files);
  if (file) openImage(file);
});

const area = document.querySelector(".drawing");
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  area.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) area.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  area.classList.remove("dropping");
  const file = firstImage(event.dataTransfer.files);
  if (file) openImage(file);
});

// Undo and clear --------------------------------------------------------------

$("undo").addEventListener("click", () => drawing.undo());
$("clear").addEventListener("click", () => drawing.clear());
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z") {
    event.preventDefault();
    drawing.undo();
  }
});
