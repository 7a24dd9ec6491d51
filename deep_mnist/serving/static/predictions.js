// The table of bars, the digits found, and what a screen reader says of them.

import { paintPixels } from "./pixels.js";

export class Answers {
  // `models` as the API lists them; the answer of the one named `chief` is the digit's label.
  // onChoose(index) is called when one of several digits is chosen.
  constructor(elements, models, chief, onChoose) {
    this.elements = elements;
    this.models = models;
    this.chief = chief;
    this.onChoose = onChoose;
    this.digits = [];
    this.chosen = 0;
    this.columns = models.map((model) => this.#column(model));
    elements.accuracy.colSpan = models.length;
    const summaries = models.map(({ title, summary }) => `${title}: ${summary}`);
    elements.summaries.textContent = `${summaries.join("; ")}.`;
    this.rows = Array.from({ length: 10 }, (_, digit) => this.#row(digit));
    elements.digits.addEventListener("keydown", (event) => this.#key(event));
    for (const feature of ["prefers-color-scheme: dark", "forced-colors: active"]) {
      matchMedia(`(${feature})`).addEventListener("change", () => this.#thumbnails());
    }
    this.show([]);
  }

  show(digits) {
    this.digits = digits;
    this.chosen = Math.min(this.chosen, Math.max(digits.length - 1, 0));
    this.#thumbnails();
    this.#bars();
  }

  choose(index) {
    this.chosen = index;
    this.#bars();
    [...this.elements.digits.children].forEach((button, i) => {
      button.setAttribute("aria-checked", i === index);
      button.tabIndex = i === index ? 0 : -1;
    });
    this.onChoose(index);
  }

  // In words: "CNN reads 5, 99.8 %. Softmax 5, MLP 3, FNN 8."
  sentence() {
    if (this.digits.length < 2) return this.#inWords(this.digits[0]);
    return `${this.digits.length} digits: ${this.digits.map((digit) => digit.label).join(" ")}`;
  }

  sentenceOfChosen() {
    const which = `Digit ${this.chosen + 1} of ${this.digits.length}`;
    return `${which}: ${this.#inWords(this.digits[this.chosen])}`;
  }

  #inWords(digit) {
    if (!digit) return "";
    const said = ({ name, title }) => `${title} ${digit.models[name].label}`;
    const [chief] = this.models.filter(({ name }) => name === this.chief);
    const others = this.models.filter((model) => model !== chief);
    const first = `${chief.title} reads ${digit.label}, ${percent(digit.probability)}.`;
    return others.length ? `${first} ${others.map(said).join(", ")}.` : first;
  }

  #column({ name, title, test_accuracy: accuracy }) {
    const head = document.createElement("th");
    head.scope = "col";
    const parts = ["name", "label", "sure"].map((kind) => {
      const part = head.appendChild(document.createElement("span"));
      part.className = kind;
      return part;
    });
    parts[0].textContent = title;
    this.elements.models.append(head);
    this.elements.accuracies.insertCell().textContent = percent(accuracy);
    return { name, head, label: parts[1], sure: parts[2] };
  }

  #row(digit) {
    const row = this.elements.bars.insertRow();
    const head = row.appendChild(document.createElement("th"));
    head.scope = "row";
    head.textContent = digit;
    const cells = this.columns.map(() => {
      const cell = row.insertCell();
      const track = cell.appendChild(document.createElement("span"));
      track.className = "track";
      const bar = track.appendChild(document.createElement("span"));
      bar.className = "bar";
      const text = cell.appendChild(document.createElement("span"));
      text.className = "unseen";
      return { cell, bar, text };
    });
    return { row, cells };
  }

  #bars() {
    const digit = this.digits[this.chosen];
    this.columns.forEach(({ name, head, label, sure }, column) => {
      const answer = digit?.models[name];
      head.classList.toggle("idle", !answer);
      label.textContent = answer?.label ?? "–";
      sure.textContent = answer ? percent(answer.probability) : "\u00a0";
      this.rows.forEach(({ cells }, value) => {
        const { cell, bar, text } = cells[column];
        const probability = answer?.probabilities[value] ?? 0;
        cell.classList.toggle("best", answer?.label === value);
        bar.style.visibility = probability < 0.005 ? "hidden" : ""; // no hairline of an edge
        bar.style.transform = `translateX(${100 * (probability - 1)}%)`;
        text.textContent = answer ? percent(probability) : "";
      });
    });
    this.rows.forEach(({ row }, value) => row.classList.toggle("chosen", digit?.label === value));
  }

  #thumbnails() {
    const list = this.elements.digits;
    while (list.children.length > this.digits.length) list.lastChild.remove();
    while (list.children.length < this.digits.length) list.append(this.#thumbnail(list.children.length));
    this.digits.forEach(({ label, pixels }, index) => {
      const button = list.children[index];
      button.setAttribute("aria-label", `Digit ${index + 1}, read as ${label}`);
      button.setAttribute("aria-checked", index === this.chosen);
      button.tabIndex = index === this.chosen ? 0 : -1;
      button.lastChild.textContent = label;
      paintPixels(button.firstChild, pixels, 28, 1);
    });
  }

  #thumbnail(index) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "digit";
    button.setAttribute("role", "radio");
    button.append(document.createElement("canvas"), document.createElement("span"));
    button.addEventListener("click", () => this.choose(index));
    return button;
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.choose((this.chosen + step + this.digits.length) % this.digits.length);
    this.elements.digits.children[this.chosen].focus();
  }
}

function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`;
}
