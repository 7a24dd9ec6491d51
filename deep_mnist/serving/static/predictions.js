// The table of probabilities, the digits that were found, and their text for a screen reader.

import { paintPixels } from "./pixels.js";

export class Predictions {
  // `models` are as the API lists them, `defaultModel` is the name of the one that predicts the label.
  // onSelect(index) is called when one of several digits is selected.
  constructor(elements, models, defaultModel, onSelect) {
    this.elements = elements;
    this.models = models;
    this.defaultModel = defaultModel;
    this.onSelect = onSelect;
    this.digits = [];
    this.selected = 0;
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
    this.selected = Math.min(this.selected, Math.max(digits.length - 1, 0));
    this.#thumbnails();
    this.#bars();
  }

  select(index) {
    this.selected = index;
    this.#bars();
    [...this.elements.digits.children].forEach((button, i) => {
      button.setAttribute("aria-checked", i === index);
      button.tabIndex = i === index ? 0 : -1;
    });
    this.onSelect(index);
  }

  // Return, for example, "CNN predicts 5, 99.8%. Softmax 5, MLP 3, FNN 8."
  sentence() {
    if (this.digits.length < 2) return this.#describe(this.digits[0]);
    return `${this.digits.length} digits: ${this.digits.map((digit) => digit.label).join(" ")}`;
  }

  sentenceOfSelected() {
    const which = `Digit ${this.selected + 1} of ${this.digits.length}`;
    return `${which}: ${this.#describe(this.digits[this.selected])}`;
  }

  #describe(digit) {
    if (!digit) return "";
    const label = ({ name, title }) => `${title} ${digit.models[name].label}`;
    const isDefault = ({ name }) => name === this.defaultModel;
    const others = this.models.filter((model) => !isDefault(model));
    const { title } = this.models.find(isDefault);
    const first = `${title} predicts ${digit.label}, ${percent(digit.probability)}.`;
    return others.length ? `${first} ${others.map(label).join(", ")}.` : first;
  }

  #column({ name, title, test_accuracy: accuracy }) {
    const head = document.createElement("th");
    head.scope = "col";
    const parts = ["name", "label", "confidence"].map((kind) => {
      const part = head.appendChild(document.createElement("span"));
      part.className = kind;
      return part;
    });
    parts[0].textContent = title;
    this.elements.models.append(head);
    this.elements.accuracies.insertCell().textContent = percent(accuracy);
    return { name, head, label: parts[1], confidence: parts[2] };
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
      text.className = "visually-hidden";
      return { cell, bar, text };
    });
    return { row, cells };
  }

  #bars() {
    const digit = this.digits[this.selected];
    this.columns.forEach(({ name, head, label, confidence }, column) => {
      const prediction = digit?.models[name];
      head.classList.toggle("idle", !prediction);
      label.textContent = prediction?.label ?? "–";
      confidence.textContent = prediction ? percent(prediction.probability) : "\u00a0";
      this.rows.forEach(({ cells }, value) => {
        const { cell, bar, text } = cells[column];
        const probability = prediction?.probabilities[value] ?? 0;
        cell.classList.toggle("best", prediction?.label === value);
        bar.style.visibility = probability < 0.005 ? "hidden" : ""; // hides the rounded end of an empty bar
        bar.style.transform = `translateX(${100 * (probability - 1)}%)`;
        text.textContent = prediction ? percent(probability) : "";
      });
    });
    this.rows.forEach(({ row }, value) => row.classList.toggle("selected", digit?.label === value));
  }

  #thumbnails() {
    const list = this.elements.digits;
    while (list.children.length > this.digits.length) list.lastChild.remove();
    while (list.children.length < this.digits.length) list.append(this.#thumbnail(list.children.length));
    this.digits.forEach(({ label, pixels }, index) => {
      const button = list.children[index];
      button.setAttribute("aria-label", `Digit ${index + 1}, predicted as ${label}`);
      button.setAttribute("aria-checked", index === this.selected);
      button.tabIndex = index === this.selected ? 0 : -1;
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
    button.addEventListener("click", () => this.select(index));
    return button;
  }

  #key(event) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.select((this.selected + step + this.digits.length) % this.digits.length);
    this.elements.digits.children[this.selected].focus();
  }
}

function percent(fraction) {
  return `${(100 * fraction).toFixed(1)}%`;
}
