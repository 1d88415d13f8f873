// Small line charts, one for each loss: every one has a scale of its own.
import { element } from "../dom.js";
import { amount, say } from "../words.js";

const WIDTH = 300, HEIGHT = 100, ROOM = 4;
const WIDE_RANGE = 50;   // of values from which they are drawn by their logarithms

function shape(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// A figure that can be given newer numbers.
export class Chart {
  constructor(name) {
    this.value = element("b");
    this.path = shape("path", {});
    this.lines = shape("g", {});
    this.svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    this.svg.append(this.lines, this.path);
    this.low = element("span");
    this.high = element("span");
    this.name = name;
    this.node = element("figure.chart", {}, element("figcaption", {}, element("span", {}, name), this.value), this.svg, element("div.ends", {}, this.low, this.high));
  }

  show(curve, phases) {
    const { steps, values } = curve;
    const lowest = Math.min(...values), highest = Math.max(...values);
    const logarithmic = lowest > 0 && highest / lowest > WIDE_RANGE;
    const scale = logarithmic ? Math.log : (value) => value;
    const first = steps[0], last = Math.max(steps[steps.length - 1], first + 1);
    const bottom = scale(lowest), height = scale(highest) - bottom || 1;
    const across = (step) => (step - first) / (last - first) * WIDTH;
    const up = (value) => HEIGHT - ROOM - (scale(value) - bottom) / height * (HEIGHT - 2 * ROOM);
    const points = values.map((value, index) => `${across(steps[index]).toFixed(1)} ${up(value).toFixed(1)}`);
    this.path.setAttribute("d", `M${points.join("L")}${points.length === 1 ? "h2" : ""}`);
    const ends = phases.slice(0, -1).map((phase) => across(phase.last)).filter((x) => x > 0 && x < WIDTH);
    this.lines.replaceChildren(...ends.map((x) => shape("line", { x1: x, x2: x, y1: 0, y2: HEIGHT })));
    const now = amount(values[values.length - 1]);
    this.value.textContent = now;
    this.low.textContent = `${amount(lowest)} – ${amount(highest)}${logarithmic ? ` · ${say("chart.logarithmic")}` : ""}`;
    this.high.textContent = say("chart.steps", { n: Math.round(last).toLocaleString(document.documentElement.lang) });
    this.svg.setAttribute("aria-label", say("chart.said", { name: this.name, low: amount(lowest), high: amount(highest), now }));
  }
}
