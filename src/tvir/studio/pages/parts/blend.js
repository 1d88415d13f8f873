// Blend: two to four works at the corners, and a picture between them that follows a hand.
import { complain, dragging, element, tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { Live, post } from "../server.js";
import { say } from "../words.js";
import { classButtons, classesOf } from "./classes.js";
import { picture, strip, title } from "./works.js";

const CORNERS = ["a", "b", "c", "d"];
const STEP = 0.02;

// How near a place in the unit square is to each of two, three or four corners.
export function weightsAt(count, x, y) {
  if (count === 2) return [1 - x, x];
  const corners = [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
  if (count === 4) return corners;
  return [corners[0], corners[1] + corners[3] / 2, corners[2] + corners[3] / 2];
}

class Blend extends HTMLElement {
  connectedCallback() {
    this.run = memory.run;
    this.state = memory.blend;
    if (this.state.weights !== this.run.weights) Object.assign(this.state, { weights: this.run.weights, condition: null });
    this.redraw = () => this.draw();
    memory.addEventListener("works", this.redraw);
    this.canvas = element("canvas.picture", { width: 1, height: 1, role: "img", "aria-label": say("picture") });
    this.handle = element("div.handle");
    this.pad = element("div.pad", { tabIndex: 0, role: "application", "aria-label": say("blend.pad"), "aria-describedby": "blend-help" });
    dragging(this.pad, { move: ([x, y]) => this.put(x, y) });
    this.pad.addEventListener("keydown", (event) => this.key(event));
    this.list = element("div");
    this.keepButton = element("button.main", { type: "button", onclick: trying(() => this.keep()) }, say("keep"));
    this.goButton = element("button", { type: "button", onclick: trying(() => this.go()) }, say("go-on"));
    this.board = element("section.card.stack", { "aria-label": say("page.blend") }, element("div.stage", {}, this.pad),
      this.classes(), element("p.soft", { id: "blend-help" }, say("blend.help")), element("div.row", {}, this.keepButton, this.goButton));
    this.replaceChildren(
      element("div.head", {}, element("h1", {}, say("page.blend")), element("p", {}, say("blend.text"))),
      element("div.columns", {}, element("section.card.stack", { "aria-labelledby": "corners-title" },
        element("h2", { id: "corners-title" }, say("blend.choose")), this.list), this.board));
    if (this.run.latents) this.live = new Live(this.run.id, this.canvas, { failed: complain, painted: () => this.painted() });
    this.draw();
  }

  // Where nobody asks for a class, the picture gets that of the work it is nearest to.
  classes() {
    return classButtons(classesOf(this.run, say("blend.class")), this.state.condition, (condition) => {
      this.state.condition = condition;
      this.live?.show(this.point());
    });
  }

  disconnectedCallback() {
    this.live?.close();
    memory.removeEventListener("works", this.redraw);
  }

  painted() { this.dataset.painted = String(Number(this.dataset.painted ?? 0) + 1); }

  draw() {
    const alive = memory.alive.filter((work) => work.numbers);
    this.state.works = this.state.works.filter((id) => alive.some((work) => work.id === id));
    this.list.replaceChildren(strip(alive, { chosen: this.state.works, pick: (work) => this.pick(work), empty: say("choose.empty") }));
    const corners = this.state.works.map((id, index) => element(`div.corner.${CORNERS[index]}`, {}, picture(memory.work(id))));
    this.pad.replaceChildren(this.canvas, ...corners, this.handle);
    this.board.hidden = this.state.works.length < 2;
    if (!this.board.hidden) this.put(...this.state.at);
  }

  pick(work) {
    const { works } = this.state;
    if (works.includes(work.id)) works.splice(works.indexOf(work.id), 1);
    else if (works.length < CORNERS.length) works.push(work.id);
    else { tell(say("blend.enough")); return; }
    this.draw();
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const far = event.shiftKey ? 5 * STEP : STEP;
    const inside = (value) => Math.min(1, Math.max(0, value));
    this.put(inside(this.state.at[0] + way[0] * far), inside(this.state.at[1] + way[1] * far));
  }

  put(x, y) {
    this.state.at = [x, this.state.works.length === 2 ? 0.5 : y];
    // Positions are set through the object model, which the content policy allows; style attributes it does not.
    this.handle.style.left = `${100 * x}%`;
    this.handle.style.top = `${100 * this.state.at[1]}%`;
    const shares = weightsAt(this.state.works.length, x, y);
    this.pad.setAttribute("aria-label", `${say("blend.pad")}: ` + this.state.works.map((id, index) => `${title(memory.work(id))} ${Math.round(100 * shares[index])} %`).join(", "));
    this.live?.show(this.point());
  }

  point() { return { blend: { works: this.state.works, weights: weightsAt(this.state.works.length, ...this.state.at) }, condition: this.state.condition }; }

  async keep() {
    const { blend } = this.point();
    const settings = Object.fromEntries(blend.weights.map((weight, index) => [`weight-${index + 1}`, Number(weight.toFixed(3))]));
    await memory.keep([{ point: this.point(), origin: "blended", parents: blend.works, settings }], this.run);
    tell(say("kept"));
  }

  async go() {
    const point = await post(`/runs/${this.run.id}/point`, this.point());
    memory.places.set(this.run.weights, { latent: Float32Array.from(point.latent), condition: point.condition, seed: 0, parents: [...this.state.works] });
    location.hash = "#/explore";
  }
}

customElements.define("tvir-blend", Blend);
