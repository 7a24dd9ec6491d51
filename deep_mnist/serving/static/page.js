// Wires the page: what is drawn or opened is read, and the answer shown.

import { Answers } from "./answers.js";
import { getFeatureMaps, getModels, readPicture } from "./api.js";
import { paintPixels } from "./pixels.js";
import { Sheet } from "./sheet.js";

const BETWEEN = 30; // ms from a question to the next while the pen is down
const BEFORE_SPEAKING = 700; // ms without change, so that a screen reader is not flooded
const MAX_BYTES = 20_000_000;
const TOO_SMALL = "No digit yet: draw it larger.";

const $ = (id) => document.getElementById(id);

const sheet = new Sheet($("sheet"), {
  onInk: change,
  onPenUp: settle,
  onOther: () => asking?.abort(),
  onBox: (index) => answers.choose(index),
  say,
});
let answers = null;
let version = 0; // of what is on the sheet
let asked = 0; // the version that was asked about last
let shown = 0; // the version whose answer is shown
let asking = null; // what ends the question under way; there is one at a time
let askedAt = -Infinity;
let changedAt = 0;
let isPenUp = true;
let complaint = ""; // of what is on the sheet
let trouble = ""; // of anything else, until something new is drawn or opened
let timer = null;
let speaking = null;

start();

async function start() {
  try {
    const said = await getModels();
    const parts = ["digits", "models", "bars", "accuracy", "accuracies", "summaries"];
    const elements = Object.fromEntries(parts.map((id) => [id, $(id)]));
    answers = new Answers(elements, said.models, said.default, choose);
    settle();
  } catch (error) {
    complain(error.message);
  }
}

// Reading ---------------------------------------------------------------------

function change() {
  version++;
  changedAt = performance.now();
  isPenUp = false;
  trouble = "";
  $("hint").hidden = !sheet.isEmpty;
  const isLeft = [$("undo"), $("clear")].includes(document.activeElement);
  $("undo").disabled = !sheet.canUndo;
  $("clear").disabled = sheet.isEmpty;
  if (isLeft && document.activeElement.disabled) sheet.canvas.focus();
  askSoon();
}

function settle() {
  isPenUp = true;
  clearTimeout(timer);
  timer = null;
  if (shown === version) showComplaint();
  else askSoon();
}

function askSoon() {
  if (!answers || asking || timer !== null || asked === version) return;
  const wait = isPenUp ? 0 : askedAt + BETWEEN - performance.now();
  if (wait <= 0) ask();
  else timer = setTimeout(() => ((timer = null), ask()), wait);
}

async function ask() {
  const [mine, at] = [version, changedAt];
  asked = mine;
  if (!sheet.isReadable) return show({ digits: [] }, mine, sheet.isEmpty ? "" : TOO_SMALL);
  asking = new AbortController();
  askedAt = performance.now();
  const { signal } = asking;
  if (sheet.isPicture) {
    answers.show([]); // a large one takes a while, and what was said of another does not hold
    $("latency").textContent = "Reading…";
  }
  let answer = { digits: [] };
  let said = "";
  try {
    answer = await readPicture(sheet.source(), signal);
  } catch (error) {
    said = error.status === 422 && !sheet.isPicture ? TOO_SMALL : error.message;
  }
  asking = null;
  if (!signal.aborted) {
    show(answer, mine, said);
    if (!said) $("latency").textContent = `Read in ${Math.round(performance.now() - at)} ms`;
  }
  askSoon();
}

function show({ digits, size }, itsVersion, said) {
  shown = itsVersion;
  complaint = said;
  answers.show(digits);
  sheet.mark(digits.map((digit) => digit.box), size, answers.chosen);
  showComplaint();
  if (!digits.length) $("latency").textContent = "";
  say(answers.sentence(), BEFORE_SPEAKING);
  showFeatureMaps();
}

function choose(index) {
  sheet.marked = index;
  sheet.paint();
  say(answers.sentenceOfChosen());
  showFeatureMaps();
}

function complain(message) {
  trouble = message;
  showComplaint();
}

function showComplaint() {
  $("message").textContent = trouble || (isPenUp ? complaint : ""); // half a digit is no mistake
}

// An answer is said once nothing has changed for a while; it waits for no word about the pen.
function say(sentence, delay = 0) {
  const said = $("said");
  if (!delay) {
    const isSame = said.textContent === sentence;
    said.textContent = isSame ? `${sentence}\u00a0` : sentence; // what does not change is not read
    return;
  }
  clearTimeout(speaking);
  if (sentence) speaking = setTimeout(() => (said.textContent = sentence), delay);
}

// Feature maps ----------------------------------------------------------------

let mapsOf = null; // the pixels that they were last asked for

async function showFeatureMaps() {
  const pixels = answers?.digits[answers.chosen]?.pixels;
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
    complain(error.message);
  }
}

function paintMaps(grid, { size, maps }) {
  while (grid.children.length < maps.length) grid.append(document.createElement("canvas"));
  maps.forEach((map, index) => paintPixels(grid.children[index], map, size, 255));
}

$("maps").addEventListener("toggle", showFeatureMaps);

// Pictures --------------------------------------------------------------------

let latest = 0; // number of the file that was opened last: an earlier one may be decoded later

async function openPicture(file) {
  const mine = ++latest;
  if (file.size > MAX_BYTES) {
    complain(`${file.name} is larger than ${MAX_BYTES / 1e6} MB: make the picture smaller.`);
    return;
  }
  const bitmap = await createImageBitmap(file).catch(() => null);
  try {
    // No picture, and what is on the sheet stays there; or one that only the server can decode.
    if (!bitmap && mine === latest) await readPicture(file);
    if (mine === latest) sheet.showPicture(file, bitmap);
  } catch (error) {
    if (mine === latest) complain(error.message);
  } finally {
    bitmap?.close();
  }
}

// Of several files the first picture; no file is none.
const choice = (files) => [...files].find((file) => file.type.startsWith("image/")) ?? files[0];

$("open").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  if ($("file").files.length) openPicture($("file").files[0]);
  $("file").value = ""; // so that the same file can be opened again
});

document.addEventListener("paste", (event) => {
  const file = choice(event.clipboardData.files);
  if (file) openPicture(file);
});

const paper = document.querySelector(".sheet");
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  paper.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) paper.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  paper.classList.remove("dropping");
  const file = choice(event.dataTransfer.files);
  if (file) openPicture(file);
});

// Undo and clear --------------------------------------------------------------

$("undo").addEventListener("click", () => sheet.undo());
$("clear").addEventListener("click", () => sheet.clear());
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z") {
    event.preventDefault();
    sheet.undo();
  }
});
