// A path through the map: drawn in one go, or place by place; it becomes a moving picture.
import { element, tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { download } from "../server.js";
import { count, say } from "../words.js";

const MOST = 200;
const SUFFIXES = { gif: "gif", sheet: "png", mp4: "mp4" };

export class Path {
  // here() gives the present point and where it lies on the map.
  constructor(run, map, here) {
    this.run = run;
    this.map = map;
    this.here = here;
    if (!memory.paths.has(run.weights)) memory.paths.set(run.weights, []);
    this.places = memory.paths.get(run.weights);
    this.draws = false;
    this.told = element("span.soft", { role: "status" });
    this.form = element("select", { id: "path-form" }, ...["gif", "sheet", ...(memory.about.films ? ["mp4"] : [])].map((form) => element("option", { value: form }, say(`path.${form}`))));
    this.frames = element("input", { type: "number", id: "path-frames", min: 2, max: 240, value: 48 });
    this.makeButton = element("button.main", { type: "button", onclick: trying(() => this.make()) }, say("path.make"));
    this.drawButton = element("button", { type: "button", "aria-pressed": "false", onclick: () => this.draw(!this.draws) }, say("path.draw"));
    this.node = element("section.card.stack", { "aria-labelledby": "path-title" },
      element("div", {}, element("h2", { id: "path-title" }, say("path")), element("p.soft", {}, say("path.text"))),
      element("div.row", {}, this.drawButton,
        element("button", { type: "button", onclick: () => this.add() }, say("path.add")),
        element("button", { type: "button", onclick: () => { this.places.length = 0; this.show(); } }, say("path.clear")), this.told),
      element("div.row", {}, element("label", { htmlFor: "path-form" }, say("path.form")), this.form,
        element("label", { htmlFor: "path-frames" }, say("path.frames")), this.frames, this.makeButton));
    this.show();
  }

  draw(draws) {
    this.draws = draws;
    this.drawButton.setAttribute("aria-pressed", String(draws));
    if (draws) { this.places.length = 0; this.show(); }
  }

  // The mark was moved by hand.
  moved() { if (this.draws) this.add(); }

  ended() { if (this.draws && this.places.length > 1) this.draw(false); }

  add() {
    const { point, at } = this.here();
    this.places.push({ point, at });
    // A long path is thinned out evenly; its ends stay.
    if (this.places.length > MOST) this.places.splice(0, this.places.length, ...this.places.filter((_, index) => index % 2 === 0 || index === this.places.length - 1));
    this.show();
  }

  show() {
    this.told.textContent = count("places", this.places.length);
    this.makeButton.disabled = this.places.length < 2;
    this.map.trail = this.places.map((place) => place.at);
    this.map.draw();
  }

  async make() {
    this.makeButton.disabled = true;
    try {
      const form = this.form.value;
      const frames = Math.min(240, Math.max(2, Math.round(Number(this.frames.value)) || 48));
      await download(`/runs/${this.run.id}/path`, { points: this.places.map((place) => place.point), frames, form }, `tvir-path.${SUFFIXES[form]}`);
      tell(say("path.made"));
    } finally {
      this.makeButton.disabled = false;
    }
  }
}
