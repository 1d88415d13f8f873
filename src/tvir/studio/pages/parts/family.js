// Family: the tree of every work, from parents above to children below; it can be moved and zoomed.
import { element } from "../dom.js";
import { memory } from "../memory.js";
import { count, say } from "../words.js";
import { openWork, title } from "./works.js";

const SVG = "http://www.w3.org/2000/svg";
const SIDE = 64;
const ACROSS = 88;
const DOWN = 116;

function drawn(name, settings = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(settings)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// The beginning of a text, in a few short lines.
function said(text) {
  return drawn("g", {}, ...(text.match(/\S.{0,11}(?=\s|$)|\S{1,12}/gs) ?? []).slice(0, 4).map((line, index) => {
    const made = drawn("text", { x: SIDE / 2, y: 14 + 13 * index });
    made.textContent = line;
    return made;
  }));
}

// Places for works: a row for each generation, and in a row next to whom they descend from.
export function layout(works) {
  const byId = new Map(works.map((work) => [work.id, work]));
  const parents = (work) => work.parents.filter((id) => byId.has(id));
  const generations = new Map();
  const generation = (work) => {
    if (!generations.has(work.id)) {
      generations.set(work.id, 0);
      generations.set(work.id, Math.max(0, ...parents(work).map((id) => generation(byId.get(id)) + 1)));
    }
    return generations.get(work.id);
  };
  const rows = [];
  for (const work of [...works].reverse()) (rows[generation(work)] ??= []).push(work);
  const places = new Map();
  rows.forEach((row, down) => {
    const wish = (work) => {
      const above = parents(work).map((id) => places.get(id)?.[0] ?? 0);
      return above.length ? above.reduce((sum, x) => sum + x, 0) / above.length : null;
    };
    const wishes = new Map(row.map((work, index) => [work.id, wish(work) ?? index * ACROSS]));
    const ordered = down ? [...row].sort((left, right) => wishes.get(left.id) - wishes.get(right.id)) : row;
    let free = -Infinity;
    for (const work of ordered) {
      free = Math.max(free, down ? wishes.get(work.id) - ((ordered.length - 1) * ACROSS) / (2 * ordered.length) : wishes.get(work.id));
      places.set(work.id, [free, down * DOWN]);
      free += ACROSS;
    }
  });
  return places;
}

class Family extends HTMLElement {
  connectedCallback() {
    this.redraw = () => this.draw();
    memory.addEventListener("works", this.redraw);
    this.group = drawn("g");
    this.svg = drawn("svg", { class: "tree", role: "group", "aria-label": say("page.family") }, this.group);
    this.count = element("span.soft");
    const button = (text, label, act) => element("button.icon", { type: "button", "aria-label": label, title: label, onclick: act }, text);
    this.replaceChildren(
      element("div.head", {}, element("h1", {}, say("page.family")), element("p", {}, say("family.text"))),
      element("section.card.stack", {}, element("div.row.spread", {}, this.count, element("div.row", {},
        button("+", say("zoom-in"), () => this.zoom(1.25)), button("−", say("zoom-out"), () => this.zoom(0.8)), button("◻", say("zoom-all"), () => this.fit()))), this.svg));
    this.move();
    this.draw();
  }

  disconnectedCallback() { memory.removeEventListener("works", this.redraw); }

  draw() {
    const { works } = memory;
    this.places = layout(works);
    this.count.textContent = works.length ? count("works", works.length) : say("gallery.empty");
    this.svg.toggleAttribute("hidden", works.length === 0);
    const links = works.flatMap((work) => work.parents.filter((id) => this.places.has(id)).map((id) => this.link(id, work.id)));
    this.group.replaceChildren(...links, ...[...works].reverse().map((work) => this.node(work)));
    this.fit();
  }

  link(parent, child) {
    const [[x1, y1], [x2, y2]] = [this.places.get(parent), this.places.get(child)];
    const [from, to, half] = [x1 + SIDE / 2, x2 + SIDE / 2, (DOWN - SIDE) / 2];
    return drawn("path", { d: `M${from} ${y1 + SIDE} C${from} ${y1 + SIDE + half} ${to} ${y2 - half} ${to} ${y2}` });
  }

  node(work) {
    const [x, y] = this.places.get(work.id);
    const name = title(work);
    const node = drawn("g", { class: "node", tabindex: 0, role: "button", "aria-label": say("family.work", { name, n: work.parents.length }), transform: `translate(${x} ${y})` },
      drawn("rect", { x: -3, y: -3, width: SIDE + 6, height: SIDE + 6, rx: 8 }),
      work.kind === "text" ? said(work.text) : drawn("image", { href: `/api/works/${work.id}/picture`, width: SIDE, height: SIDE }),
      drawn("text", { x: SIDE / 2, y: SIDE + 15 }));
    node.lastChild.textContent = name.length > 16 ? `${name.slice(0, 15)}…` : name;
    node.addEventListener("click", () => { if (!this.moved) openWork(work); });
    node.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); openWork(work); }
    });
    node.addEventListener("focus", () => { if (node.matches(":focus-visible")) this.reveal(x, y); });
    return node;
  }

  get box() { return this.svg.viewBox.baseVal; }

  look(x, y, width, height) { this.svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`); }

  fit() {
    const places = [...this.places.values()];
    const [right, bottom] = [0, 1].map((axis) => Math.max(0, ...places.map((place) => place[axis])) + SIDE + 40);
    const left = Math.min(0, ...places.map((place) => place[0])) - 20;
    this.look(left, -20, Math.max(right - left, 480), Math.max(bottom + 20, 320));
  }

  zoom(times, x = 0.5, y = 0.5) {
    const { x: left, y: top, width, height } = this.box;
    const [wide, high] = [width / times, height / times];
    if (wide < 60 || wide > 200_000) return;
    this.look(left + (width - wide) * x, top + (height - high) * y, wide, high);
  }

  reveal(x, y) {
    const { x: left, y: top, width, height } = this.box;
    if (x < left || y < top || x + SIDE > left + width || y + SIDE > top + height) this.look(x + SIDE / 2 - width / 2, y + SIDE / 2 - height / 2, width, height);
  }

  move() {
    let from = null;
    this.svg.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY]; this.moved = false; });
    this.svg.addEventListener("pointermove", (event) => {
      if (!from || !event.buttons) { from = null; return; }
      const [dx, dy] = [event.clientX - from[0], event.clientY - from[1]];
      if (!this.moved && Math.hypot(dx, dy) < 5) return;
      this.moved = true;
      from = [event.clientX, event.clientY];
      const { x, y, width, height } = this.box;
      const scale = Math.max(width / this.svg.clientWidth, height / this.svg.clientHeight);
      this.look(x - dx * scale, y - dy * scale, width, height);
    });
    this.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = this.svg.getBoundingClientRect();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    }, { passive: false });
  }
}

customElements.define("tvir-family", Family);
