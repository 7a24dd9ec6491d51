// The table of bars, the digits found, and what a screen reader says of them.

import { paintPixels } from "./pixels.js";

const TITLES = { softmax: "Softmax", mlp: "MLP", cnn: "CNN", fnn: "FNN" };

export class Answers {
  // onChoose(index) is called when one of several digits is chosen.
  constructor(elements, models, onChoose) {
    this.elements = elements;
    this.onChoose = onChoose;
    this.digits = [];
    this.chosen = 0;
    this.columns = models.map((model) => this.#column(model));
    this.rows = Array.from({ length: 10 }, (_, digit) => this.#row(digit));
    elements.digits.addEventListener("keydown", (event) => this.#key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#thumbnails());
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
    if (!this.digits.length) return "";
    if (this.digits.length > 1) {
      return `${this.digits.length} digits: ${this.digits.map((digit) => digit.label).join(" ")}`;
    }
    const [{ label, probability, models }] = this.digits;
    const others = Object.entries(models).filter(([name]) => name !== "cnn");
    const rest = others.map(([name, answer]) => `${TITLES[name]} ${answer.label}`);
    return `CNN reads ${label}, ${percent(probability)}. ${rest.join(", ")}.`;
  }

  #column({ name, test_accuracy: accuracy }) {
    const head = document.createElement("th");
    head.scope = "col";
    const parts = ["name", "label", "sure"].map((kind) => {
      const part = head.appendChild(document.createElement("span"));
      part.className = kind;
      return part;
    });
    parts[0].textContent = TITLES[name];
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
