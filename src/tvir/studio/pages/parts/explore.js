// Explore: a live picture that follows a map, directions, classes and seeds.
import { complain, element, icon, tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { ask, Live, paintAll, post } from "../server.js";
import { number, say } from "../words.js";
import { classButtons, classesOf } from "./classes.js";
import { LatentMap } from "./map.js";
import { Path } from "./path.js";

function dot(left, right) {
  let sum = 0;
  for (let index = 0; index < left.length; index += 1) sum += left[index] * right[index];
  return sum;
}

class Explore extends HTMLElement {
  connectedCallback() {
    this.run = memory.run;
    this.place = memory.place(this.run);
    this.canvas = element("canvas.picture", { width: this.run.shape[1], height: this.run.shape[0], role: "img", "aria-label": say("picture") });
    this.state = element("p.soft", { role: "status" }, this.run.latents ? say("looking") : "");
    this.side = element("div.stack");
    this.keepButton = element("button.main", { type: "button", onclick: trying(() => this.keep()), "aria-keyshortcuts": "K" }, say("keep"));
    this.replaceChildren(
      element("div.head", {}, element("h1", {}, say("page.explore")), element("p", {}, say("explore.text"))),
      element("div.columns.three", {},
        element("section.card.stack.follows", { "aria-label": say("picture") },
          element("div.stage", {}, this.canvas),
          classButtons(classesOf(this.run), this.place.condition, (condition) => { this.place.condition = condition; this.show(); this.previews(); }),
          element("div.row", {}, this.keepButton,
            element("button", { type: "button", onclick: trying(() => this.surprise()) }, icon("dice"), say("surprise")),
            this.run.latents ? element("button", { type: "button", onclick: () => this.home() }, say("middle")) : null),
          this.state),
        this.side));
    this.live = new Live(this.run.id, this.canvas, { failed: complain, painted: (milliseconds) => this.painted(milliseconds) });
    this.keys = (event) => {
      if (event.key.toLowerCase() === "k" && !event.ctrlKey && !event.metaKey && !event.target.matches("input[type=text], textarea, select")) this.keepButton.click();
    };
    document.addEventListener("keydown", this.keys);
    if (this.run.latents) trying(() => this.chart())();
    else { this.live.show(this.point()); this.seeds(); }
  }

  disconnectedCallback() {
    this.live.close();
    this.map?.close();
    document.removeEventListener("keydown", this.keys);
  }

  async chart() {
    // The middle is what all have in common, and so a blur: a draw is the better beginning.
    if (!this.place.latent) this.place.latent = Float32Array.from((await post(`/runs/${this.run.id}/point`, { seed: 1 })).latent);
    if (!this.isConnected) return;
    this.show();   // the picture need not wait for the map
    this.data = await memory.chart(this.run);
    if (!this.isConnected) return;
    this.state.textContent = this.data.encoded ? "" : say("map.prior");
    this.map = new LatentMap(this.data, { moved: (x, y) => { this.moveTo(x, y); this.path.moved(); }, ended: () => this.path.ended() });
    this.path = new Path(this.run, this.map, () => ({ point: this.point(), at: [...this.map.at] }));
    this.sliders = this.data.directions.map((direction, index) => this.slider(direction, index));
    this.side.before(element("div.stack", {}, element("section.card", { "aria-labelledby": "map-title" },
      element("h2", { id: "map-title" }, say("map.title")), this.map.node,
      element("p.sr", { id: "map-help" }, say("map.help")), this.legend()), this.path.node));
    this.side.replaceChildren(element("section.card", { "aria-labelledby": "directions-title" },
      element("h2", { id: "directions-title" }, say("directions")), ...this.sliders.map((slider) => slider.node)));
    this.reflect();
    this.previews();
  }

  legend() {
    const { classes, labels } = this.data;
    if (!classes.length || labels.every((label) => label < 0)) return null;
    return element("ul.legend", { "aria-label": say("map.legend") },
      ...classes.slice(0, 20).map((name, index) => element("li", {}, element(`span.dot.k${index % 10}`), name)));
  }

  nameOf(direction, index) {
    if (direction.name) return direction.name;
    return direction.kind === "class" ? say("direction.class", { name: direction.towards }) : say("direction.number", { n: index + 1 });
  }

  slider(direction, index) {
    const id = `direction-${index}`;
    const [low, high] = [element("canvas.picture"), element("canvas.picture")];
    const value = element("output", { htmlFor: id });
    const input = element("input", { type: "range", id, min: direction.low, max: direction.high, step: "any",
      oninput: () => this.slide(direction, Number(input.value)) });
    input.addEventListener("keydown", (event) => {   // "any" leaves arrow keys without a step in some browsers
      const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 }[event.key];
      if (!way) return;
      event.preventDefault();
      const step = way * (direction.high - direction.low) / 40;
      input.value = Math.min(direction.high, Math.max(direction.low, Number(input.value) + step));
      this.slide(direction, Number(input.value));
    });
    const label = element("label", { htmlFor: id }, this.nameOf(direction, index));
    const name = element("div.name", {}, label, element("span.row", {}, value, element("button", {
      type: "button", title: say("rename"), "aria-label": say("rename.what", { name: this.nameOf(direction, index) }),
      onclick: () => this.rename(direction, index, name, label),
    }, "✎")));
    const node = element("div.direction", {}, name, low, input, high);
    return { direction, input, value, low, high, node };
  }

  rename(direction, index, place, label) {
    const field = element("input", { type: "text", maxLength: 80, value: direction.name, "aria-label": say("rename"), placeholder: this.nameOf(direction, index) });
    let left = false;
    const leave = trying(async (keep) => {
      if (left) return;
      left = true;
      field.replaceWith(label);
      if (!keep || field.value === direction.name) return;
      await ask("PUT", `/runs/${this.run.id}/directions/${index}`, { name: field.value });
      direction.name = field.value;
      label.textContent = this.nameOf(direction, index);
      memory.changed("done");
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") leave(true);
      if (event.key === "Escape") leave(false);
      event.stopPropagation();
    });
    field.addEventListener("blur", () => leave(true));
    label.replaceWith(field);
    field.focus();
    field.select();
  }

  // The place is a latent; map and sliders show where it lies, and move it along themselves.
  along(vector) { return dot(this.place.latent, vector) - dot(this.data.centre, vector); }

  axis(number) {
    const size = this.data.numbers;
    return this.data.axes.subarray(number * size, (number + 1) * size);
  }

  get axes() { return this.data.axes.length / this.data.numbers; }

  shift(vector, far) {
    const { latent } = this.place;
    for (let index = 0; index < latent.length; index += 1) latent[index] += far * vector[index];
  }

  moveTo(x, y) {
    [x, y].slice(0, this.axes).forEach((wanted, number) => this.shift(this.axis(number), wanted - this.along(this.axis(number))));
    this.reflect(null, false);
    this.show();
  }

  slide(direction, wanted) {
    this.shift(direction.vector, wanted - this.along(direction.vector));
    this.reflect(direction);
    this.show();
  }

  reflect(moving = null, withMap = true) {
    if (!this.sliders) return;
    for (const { direction, input, value } of this.sliders) {
      const at = this.along(direction.vector);
      if (direction !== moving) input.value = at;
      value.textContent = number(at);
    }
    if (withMap) this.map.mark(...[0, 1].map((number) => (number < this.axes ? this.along(this.axis(number)) : 0)));
  }

  point() {
    const { latent, condition, seed } = this.place;
    return this.run.latents ? { latent: Array.from(latent), condition } : { seed, condition };
  }

  show() { this.live.show(this.point()); }

  painted(milliseconds) {
    this.dataset.painted = String(Number(this.dataset.painted ?? 0) + 1);
    this.dataset.latency = milliseconds.toFixed(2);
  }

  // What the ends of each direction look like from the middle.
  previews() {
    if (!this.sliders) return;
    trying(async () => {
      const points = [];
      const canvases = [];
      for (const { direction, low, high } of this.sliders) {
        for (const [far, canvas] of [[direction.low, low], [direction.high, high]]) {
          points.push({ latent: Array.from(this.data.centre, (value, index) => value + far * direction.vector[index]), condition: this.place.condition });
          canvases.push(canvas);
        }
      }
      await paintAll(this.run.id, points, canvases);
    })();
  }

  home() {
    if (!this.data) return;
    this.place.latent.set(this.data.centre);
    this.place.parents = [];
    this.reflect();
    this.show();
  }

  async surprise() {
    const seed = crypto.getRandomValues(new Uint32Array(1))[0];
    this.place.seed = seed;
    this.place.parents = [];
    if (this.run.latents) {
      const point = await post(`/runs/${this.run.id}/point`, { seed, condition: this.place.condition });
      this.place.latent = Float32Array.from(point.latent);
      this.reflect();
    } else this.seed.value = seed;
    this.show();
  }

  // A model without latents is asked by seeds.
  seeds() {
    this.seed = element("input", { type: "number", min: 0, max: 4294967295, step: 1, id: "seed", value: this.place.seed,
      oninput: () => { this.place.seed = Math.max(0, Math.floor(Number(this.seed.value) || 0)); this.show(); } });
    this.side.replaceChildren(element("section.card.stack", {}, element("h2", {}, say("seed")), element("p.soft", {}, say("seed.text")),
      element("div.row", {}, element("label", { htmlFor: "seed" }, say("seed")), this.seed)));
  }

  async keep() {
    const [work] = await memory.keep([{ point: this.point(), origin: this.run.latents ? "explored" : "sampled", parents: this.place.parents }], this.run);
    this.place.parents = [work.id];
    tell(say("kept"));
  }
}

customElements.define("tvir-explore", Explore);
