// The map of a latent space: points on a plane, and a mark that can be dragged or moved with the arrow keys.
import { dragging, element } from "../dom.js";
import { number, say } from "../words.js";

const ROOM = 0.12;
const STEP = 0.02;

export class LatentMap {
  // moved(x, y) is told where the mark is put, in units of the latents; ended() when it is let go.
  constructor(chart, { moved, ended = () => {} }) {
    this.chart = chart;
    this.moved = moved;
    this.at = [0, 0];
    this.trail = [];
    this.canvas = element("canvas");
    this.node = element("div.map", { tabIndex: 0, role: "application", "aria-label": say("map"), "aria-describedby": "map-help" },
      this.canvas);
    this.box = bounds(chart.points);
    dragging(this.node, { move: ([x, y]) => this.put(...this.fromScreen(x, y)), end: () => ended() });
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("keyup", () => ended());
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.node);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.draw();
    this.scheme.addEventListener("change", this.redraw);
  }

  close() {
    this.watch.disconnect();
    this.scheme.removeEventListener("change", this.redraw);
  }

  fromScreen(x, y) {
    const [left, bottom, width, height] = this.box;
    return [left + x * width, bottom + (1 - y) * height];
  }

  toScreen(x, y) {
    const [left, bottom, width, height] = this.box;
    return [(x - left) / width, 1 - (y - bottom) / height];
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const far = event.shiftKey ? 5 * STEP : STEP;
    this.put(this.at[0] + way[0] * far * this.box[2], this.at[1] + way[1] * far * this.box[3]);
  }

  put(x, y) {
    this.mark(x, y);
    this.moved(x, y);
  }

  // Shows the mark without telling anybody.
  mark(x, y) {
    this.at = [x, y];
    this.node.setAttribute("aria-label", `${say("map")}: ${say("map.at", { x: number(x), y: number(y) })}`);
    this.draw();
  }

  draw() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => { this.asked = 0; this.paint(); });
  }

  paint() {
    const ratio = window.devicePixelRatio || 1;
    const size = Math.round(this.node.clientWidth * ratio);
    if (!size) return;
    const style = getComputedStyle(document.documentElement);
    const key = `${size} ${style.getPropertyValue("--ink")}`;
    if (this.backKey !== key) {
      this.backKey = key;
      this.back = this.background(size, ratio, style);
    }
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, size, size);
    context.drawImage(this.back, 0, 0);
    this.paintTrail(context, size, ratio, style);
    const [x, y] = this.toScreen(...this.at);
    const inside = (value) => Math.min(0.99, Math.max(0.01, value)) * size;
    context.beginPath();
    context.arc(inside(x), inside(y), 9 * ratio, 0, 7);
    context.fillStyle = style.getPropertyValue("--accent");
    context.fill();
    context.lineWidth = 3 * ratio;
    context.strokeStyle = style.getPropertyValue("--card");
    context.stroke();
  }

  background(size, ratio, style) {
    const back = document.createElement("canvas");
    back.width = back.height = size;
    const context = back.getContext("2d");
    const colours = Array.from({ length: 10 }, (_, index) => style.getPropertyValue(`--c${index}`));
    context.globalAlpha = 0.75;
    const { points, labels } = this.chart;
    for (let index = 0; index < labels.length; index += 1) {
      const [x, y] = this.toScreen(points[2 * index], points[2 * index + 1]);
      context.fillStyle = colours[labels[index] < 0 ? 8 : labels[index] % 10];
      context.beginPath();
      context.arc(x * size, y * size, 3 * ratio, 0, 7);
      context.fill();
    }
    return back;
  }

  paintTrail(context, size, ratio, style) {
    if (this.trail.length < 2) return;
    context.beginPath();
    this.trail.forEach(([x, y], index) => {
      const place = this.toScreen(x, y).map((share) => share * size);
      if (index) context.lineTo(...place); else context.moveTo(...place);
    });
    context.lineWidth = 3 * ratio;
    context.lineJoin = "round";
    context.strokeStyle = style.getPropertyValue("--warm");
    context.stroke();
  }
}

function bounds(points) {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let index = 0; index < points.length; index += 2) {
    left = Math.min(left, points[index]);
    right = Math.max(right, points[index]);
    bottom = Math.min(bottom, points[index + 1]);
    top = Math.max(top, points[index + 1]);
  }
  const width = Math.max(right - left, 1e-3);
  const height = Math.max(top - bottom, 1e-3);
  return [left - ROOM * width, bottom - ROOM * height, width * (1 + 2 * ROOM), height * (1 + 2 * ROOM)];
}
