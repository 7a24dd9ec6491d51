// Wires the page: what is drawn or opened is read, and the answer shown.

import { Answers } from "./answers.js";
import { getFeatureMaps, getModels, readPicture } from "./api.js";
import { paintPixels } from "./pixels.js";
import { Sheet } from "./sheet.js";

const WHILE_DRAWING = 40; // ms between two questions while the pen is down
const BEFORE_SPEAKING = 700; // ms without change, so that a screen reader is not flooded
const MAX_BYTES = 20_000_000;

const $ = (id) => document.getElementById(id);

const sheet = new Sheet($("sheet"), {
  onInk: change,
  onPenUp: settle,
  onBox: (index) => answers.choose(index),
  say,
});
let answers = null;
let file = null; // the picture that is shown, as it was opened
let version = 0; // of what is on the sheet
let asked = 0; // the version that was asked about last
let shown = 0; // the version whose answer is shown
let underWay = 0; // questions without an answer yet
let changedAt = 0;
let isPenUp = true;
let complaint = "";
let timer = null;
let speaking = null;

start();

async function start() {
  try {
    const { models } = await getModels();
    const elements = { digits: $("digits"), models: $("models"), bars: $("bars"), accuracies: $("accuracies") };
    answers = new Answers(elements, models, choose);
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
  if (!sheet.picture) file = null;
  $("undo").disabled = $("clear").disabled = sheet.isEmpty;
  $("hint").hidden = !sheet.isEmpty;
  timer ??= setTimeout(askNow, WHILE_DRAWING);
}

function askNow() {
  timer = null;
  if (underWay) timer = setTimeout(askNow, WHILE_DRAWING);
  else ask();
}

function settle() {
  isPenUp = true;
  clearTimeout(timer);
  timer = null;
  if (asked !== version) ask();
  else if (shown === version) complain(complaint);
}

async function ask() {
  if (!answers) return;
  const [mine, at] = [version, changedAt];
  asked = mine;
  underWay++;
  let answer = { digits: [] };
  let said = "";
  try {
    if (!sheet.isEmpty) answer = await readPicture(file ?? (await sheet.file()));
  } catch (error) {
    said = error.status === 422 && !file ? "No digit yet: draw it larger." : error.message;
  }
  underWay--;
  if (mine < shown) return; // a later one was quicker
  shown = mine;
  complaint = said;
  show(answer);
  const ms = Math.round(performance.now() - at);
  $("latency").textContent = answer.digits.length ? `Read in ${ms} ms` : "";
}

function show({ digits, size }) {
  answers.show(digits);
  sheet.mark(digits.map((digit) => digit.box), size, answers.chosen);
  complain(isPenUp ? complaint : ""); // the beginning of a digit is none
  say(answers.sentence(), BEFORE_SPEAKING);
  showFeatureMaps();
}

function choose(index) {
  sheet.marked = index;
  sheet.paint();
  showFeatureMaps();
}

function complain(message) {
  $("message").textContent = message;
}

function say(sentence, delay = 0) {
  clearTimeout(speaking);
  speaking = setTimeout(() => ($("said").textContent = sentence), delay);
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

async function openPicture(opened) {
  if (opened.size > MAX_BYTES) {
    complain(`${opened.name} is larger than ${MAX_BYTES / 1e6} MB.`);
    return;
  }
  const bitmap = await createImageBitmap(opened).catch(() => null);
  if (!bitmap) {
    // No picture, and what is on the sheet stays there; or one that only the server can decode.
    try {
      await readPicture(opened);
    } catch (error) {
      complain(error.message);
      return;
    }
  }
  file = opened;
  sheet.showPicture(bitmap);
}

const firstPicture = (items) => [...items].find((each) => each.type.startsWith("image/"));

$("open").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  if ($("file").files.length) openPicture($("file").files[0]);
  $("file").value = ""; // so that the same file can be opened again
});

document.addEventListener("paste", (event) => {
  const picture = firstPicture(event.clipboardData.files);
  if (picture) openPicture(picture);
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
  const picture = firstPicture(event.dataTransfer.files);
  if (picture) openPicture(picture);
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
