// Start from mine: a picture of one's own, encoded or come nearer to, and filled in where it is masked.
import { element, tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { ask, get, paintAll, post } from "../server.js";
import { say } from "../words.js";
import { bring } from "./bringing.js";
import { Painter } from "./painter.js";
import { picture } from "./works.js";

const LOOK = 150;

class Mine extends HTMLElement {
  connectedCallback() {
    this.run = memory.run;
    [this.height, this.width, this.channels] = this.run.shape;
    this.pasted = trying(async (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((candidate) => candidate.type.startsWith("image/"));
      if (file) { event.preventDefault(); await this.take(file); }
    });
    document.addEventListener("paste", this.pasted);
    this.bench = element("div.stack");
    this.replaceChildren(
      element("div.head", {}, element("h1", {}, say("page.mine")), element("p", {}, say("mine.text"))),
      element("div.columns", {}, element("div.stack", {}, this.dropping(), this.drawing()), this.bench));
    if (memory.mine) this.work();
  }

  disconnectedCallback() {
    document.removeEventListener("paste", this.pasted);
    clearTimeout(this.timer);
    if (this.under) ask("DELETE", `/runs/${this.run.id}/approaches/${this.under}`).catch(() => {});
  }

  dropping() {
    const file = element("input", { type: "file", accept: "image/*", id: "file", onchange: trying(async () => {
      if (file.files.length) await this.take(file.files[0]);
      file.value = "";
    }) });
    return element("section.card.drop", { "aria-label": say("mine.bring") }, element("p", {}, say("mine.drop")),
      element("label.sr", { htmlFor: "file" }, say("mine.file")), file);
  }

  drawing() {
    const gray = this.channels === 1;
    const colour = gray
      ? element("input", { type: "range", id: "ink", min: 0, max: 255, value: 255 })
      : element("input", { type: "color", id: "ink", value: "#f2b84b" });
    const ink = () => (gray ? `rgb(${colour.value} ${colour.value} ${colour.value})` : colour.value);
    const size = element("input", { type: "range", id: "brush", min: 1, max: Math.max(3, Math.round(this.width / 5)), value: Math.max(1, Math.round(this.width / 12)) });
    const paper = () => (gray ? "rgb(0 0 0)" : "rgb(255 255 255)");
    const painter = new Painter(this.width, this.height, { brush: () => ({ colour: ink(), size: Number(size.value) }), label: say("mine.canvas"), help: say("mine.keys") });
    painter.clear(paper());
    return element("section.card.stack", { "aria-labelledby": "draw-title" }, element("h2", { id: "draw-title" }, say("mine.draw")),
      painter.canvas, element("p.soft", {}, say("mine.keys")),
      element("div.row", {}, element("label", { htmlFor: "ink" }, say("mine.ink")), colour),
      element("div.row", {}, element("label", { htmlFor: "brush" }, say("mine.brush")), size),
      element("div.row", {},
        element("button.main", { type: "button", onclick: trying(async () => this.take(await painter.blob())) }, say("mine.use")),
        element("button", { type: "button", onclick: () => painter.clear(paper()) }, say("mine.empty")),
        gray ? null : element("button", { type: "button", onclick: () => painter.clear(ink()) }, say("mine.fill"))));
  }

  async take(blob) {
    const work = await bring(blob, this.run);
    if (work) { this.work(); if (this.run.encodes) await this.encode(); else if (this.run.latents) await this.approach(); }
  }

  // The bench: the picture, what the model makes of it, and a mask between them.
  work() {
    const { work } = memory.mine;
    this.made = element("canvas.picture", { width: this.width, height: this.height, role: "img", "aria-label": say("mine.made") });
    this.bar = element("progress", { max: 1, value: 0, hidden: true, "aria-label": say("mine.progress") });
    this.state = element("p.soft", { role: "status" });
    const size = element("input", { type: "range", id: "mask-brush", min: 1, max: Math.max(3, Math.round(this.width / 3)), value: Math.max(1, Math.round(this.width / 6)) });
    this.masker = new Painter(this.width, this.height, { brush: () => ({ colour: "rgb(242 120 75 / 75%)", size: Number(size.value) }), label: say("mine.mask"), help: say("mine.keys"),
      painted: () => this.label() });
    const own = picture(work);
    own.classList.toggle("pixels", this.width < 128);
    const button = (text, act, kind = "button") => element(kind, { type: "button", onclick: trying(act) }, text);
    this.approachButton = button(say("mine.approach"), () => this.approach());
    this.stopButton = button(say("mine.stop"), () => this.halt());
    this.stopButton.hidden = true;
    this.keepButton = button(say("keep"), () => this.keep(), "button.main");
    this.goButton = button(say("go-on"), () => this.go());
    this.fillButton = button(say("mine.fill-keep"), () => this.fill());
    this.bench.replaceChildren(element("section.card.stack", { "aria-label": say("mine.bench") },
      element("div.side", {},
        element("figure.stack", {}, element("div.layers", {}, own, this.masker.canvas), element("figcaption", {}, say("mine.own"))),
        element("figure.stack", {}, this.made, element("figcaption", {}, say("mine.made")))),
      this.bar, this.state,
      element("div.row", {}, this.run.encodes ? button(say("mine.encode"), () => this.encode()) : null, this.approachButton, this.stopButton, this.keepButton, this.goButton),
      element("div.stack", {}, element("p.soft", {}, say("mine.mask-help")),
        element("div.row", {}, element("label", { htmlFor: "mask-brush" }, say("mine.brush")), size),
        element("div.row", {}, button(say("mine.unmask"), () => { this.masker.clear(); this.label(); }), this.fillButton))));
    if (!this.run.latents) {
      this.state.textContent = say("refusal.no-latents");
      this.approachButton.disabled = true;
    }
    this.label();
    if (memory.mine.point) this.show(memory.mine.point);
  }

  label() {
    const { point } = memory.mine;
    this.keepButton.disabled = this.goButton.disabled = !point || point.weights !== this.run.weights;
    this.fillButton.disabled = this.keepButton.disabled || !this.masker.mask();
    this.approachButton.textContent = this.masker.mask() ? say("mine.fill-in") : say("mine.approach");
  }

  async show(point) {
    if (point.weights !== this.run.weights) return;
    await paintAll(this.run.id, [{ latent: point.latent, condition: point.condition }], [this.made]);
    this.dataset.painted = String(Number(this.dataset.painted ?? 0) + 1);
  }

  async found(point, origin, settings = {}) {
    memory.mine.point = { ...point, weights: this.run.weights, origin, settings };
    this.label();
    await this.show(memory.mine.point);
  }

  async encode() {
    const point = await post(`/runs/${this.run.id}/encode`, { work: memory.mine.work.id });
    await this.found(point, "encoded");
    this.state.textContent = say("mine.encoded");
  }

  async approach() {
    await this.halt();
    const mask = this.masker.mask();
    const begun = await post(`/runs/${this.run.id}/approaches`, { work: memory.mine.work.id, ...(mask ? { mask } : {}) });
    this.under = begun.id;
    this.bar.hidden = this.stopButton.hidden = false;
    this.approachButton.disabled = true;
    await this.look(begun.id);
  }

  async look(id) {
    const seen = await get(`/runs/${this.run.id}/approaches/${id}`).catch((error) => { this.end(); throw error; });
    if (this.under !== id || !this.isConnected) return;
    this.bar.value = seen.share;
    if (seen.failed) { this.end(); this.state.textContent = say("refusal.failed", { why: seen.failed }); return; }
    if (seen.point) {
      await this.found(seen.point, "approached", { distance: Number(seen.distance.toFixed(5)) });
      this.state.textContent = say("mine.distance", { share: Math.round(100 * seen.share), distance: seen.distance.toFixed(4) });
    }
    if (seen.finished) this.end();
    else this.timer = setTimeout(trying(() => this.look(id)), LOOK);
  }

  async halt() {
    if (!this.under) return;
    const id = this.under;
    this.end();
    await ask("DELETE", `/runs/${this.run.id}/approaches/${id}`);
  }

  end() {
    clearTimeout(this.timer);
    this.under = null;
    this.bar.hidden = this.stopButton.hidden = true;
    this.approachButton.disabled = false;
  }

  async keep() {
    const { work, point } = memory.mine;
    await memory.keep([{ point: { latent: point.latent, condition: point.condition }, origin: point.origin, parents: [work.id], settings: point.settings }], this.run);
    tell(say("kept"));
  }

  async go() {
    const { work, point } = memory.mine;
    memory.places.set(this.run.weights, { latent: Float32Array.from(point.latent), condition: point.condition, seed: 0, parents: [work.id] });
    location.hash = "#/explore";
  }

  async fill() {
    const { work, point } = memory.mine;
    const filled = await post(`/runs/${this.run.id}/fillings`, { work: work.id, mask: this.masker.mask(), point: { latent: point.latent, condition: point.condition },
      feather: this.width < 32 ? 0 : 2 });
    await memory.readWorks();
    memory.changed("done");
    memory.mine = { work: filled, point };
    this.work();
    this.state.textContent = say("mine.filled");
  }
}

customElements.define("tvir-mine", Mine);
