// Painting with a pointer or with keys: into a drawing, or a mask over a picture.
import { element } from "../dom.js";

export class Painter {
  // brush() gives { colour, size }; painted() is told after each stroke.
  constructor(width, height, { brush, painted = () => {}, label, help }) {
    this.brush = brush;
    this.painted = painted;
    this.cursor = [Math.floor(width / 2), Math.floor(height / 2)];
    this.canvas = element("canvas.picture.draw.pixels", { width, height, tabIndex: 0, role: "application", "aria-label": label, "aria-description": help });
    this.context = this.canvas.getContext("2d");
    let last = null;
    const place = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button > 0) return;
      this.canvas.setPointerCapture(event.pointerId);
      last = place(event);
      this.line(last, last);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const next = place(event);
      this.line(last, next);
      last = next;
    });
    for (const name of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(name, () => { if (last) { last = null; this.painted(); } });
    }
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], " ": [0, 0] }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const { width, height } = this.canvas;
    this.cursor = [Math.min(width - 1, Math.max(0, this.cursor[0] + way[0])), Math.min(height - 1, Math.max(0, this.cursor[1] + way[1]))];
    if (event.key !== " " && !event.shiftKey) return;
    const here = [this.cursor[0] + 0.5, this.cursor[1] + 0.5];
    this.line(here, here);
    this.painted();
  }

  // Whole pixels within the brush of the line from one place to another.
  line(from, to) {
    const { colour, size, erases } = this.brush();
    const reach = size / 2;
    const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) * 2));
    this.context.fillStyle = colour;
    for (let step = 0; step <= steps; step += 1) {
      const x = from[0] + ((to[0] - from[0]) * step) / steps;
      const y = from[1] + ((to[1] - from[1]) * step) / steps;
      for (let down = Math.floor(y - reach); down <= Math.floor(y + reach); down += 1) {
        for (let across = Math.floor(x - reach); across <= Math.floor(x + reach); across += 1) {
          if (Math.hypot(across + 0.5 - x, down + 0.5 - y) > Math.max(reach, 0.71)) continue;
          if (erases) this.context.clearRect(across, down, 1, 1); else this.context.fillRect(across, down, 1, 1);
        }
      }
    }
  }

  clear(colour = null) {
    const { width, height } = this.canvas;
    this.context.clearRect(0, 0, width, height);
    if (colour) { this.context.fillStyle = colour; this.context.fillRect(0, 0, width, height); }
  }

  // A byte for each pixel that was painted, in base64.
  mask() {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    let text = "";
    let any = false;
    for (let index = 3; index < data.length; index += 4) {
      text += data[index] ? "\u00ff" : "\u0000";
      any ||= data[index] > 0;
    }
    return any ? btoa(text) : null;
  }

  blob() { return new Promise((done) => { this.canvas.toBlob(done, "image/png"); }); }
}
