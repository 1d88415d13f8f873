// Evolve: nine children of chosen parents; pick, and breed again.
import { element, tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { paintAll, post } from "../server.js";
import { say } from "../words.js";
import { strip } from "./works.js";

const CHILDREN = 9;
const MOST_PARENTS = 8;

class Evolve extends HTMLElement {
  connectedCallback() {
    this.run = memory.run;
    if (!memory.litters.has(this.run.weights)) {
      memory.litters.set(this.run.weights, { parents: [], children: [], boldness: 0.35, crossover: 0.5, seed: 0 });
    }
    this.state = memory.litters.get(this.run.weights);
    this.redraw = () => this.draw();
    memory.addEventListener("works", this.redraw);
    this.list = element("div");
    this.litter = element("div.litter", { role: "group", "aria-label": say("evolve.children") });
    this.breedButton = element("button.main", { type: "button", onclick: trying(() => this.breed()) });
    this.replaceChildren(
      element("div.head", {}, element("h1", {}, say("page.evolve")), element("p", {}, say("evolve.text"))),
      element("div.columns", {},
        element("section.card.stack", { "aria-labelledby": "parents-title" },
          element("h2", { id: "parents-title" }, say("evolve.parents")), this.list,
          this.dial("boldness"), this.dial("crossover"), element("div.row", {}, this.breedButton),
          element("p.soft", {}, say("evolve.help"))),
        element("section.card", { "aria-label": say("evolve.children") }, this.litter)));
    this.draw();
    this.showChildren();
  }

  disconnectedCallback() { memory.removeEventListener("works", this.redraw); }

  dial(name) {
    const output = element("output", { htmlFor: name }, this.state[name].toFixed(2));
    const input = element("input", { type: "range", id: name, min: 0, max: 1, step: 0.05, value: this.state[name], oninput: () => {
      this.state[name] = Number(input.value);
      output.textContent = this.state[name].toFixed(2);
    } });
    return element("div", {}, element("div.row.spread", {}, element("label", { htmlFor: name }, say(`evolve.${name}`)), output), input);
  }

  get picked() { return this.state.children.filter((child) => child.picked); }

  draw() {
    this.state.parents = this.state.parents.filter((id) => memory.alive.some((work) => work.id === id));
    this.list.replaceChildren(strip(memory.alive, { chosen: this.state.parents, empty: say("evolve.first"), pick: (work) => {
      const { parents } = this.state;
      if (parents.includes(work.id)) parents.splice(parents.indexOf(work.id), 1);
      else if (parents.length < MOST_PARENTS) parents.push(work.id);
      this.draw();
    } }));
    this.label();
  }

  label() {
    this.breedButton.textContent = this.picked.length ? say("evolve.again") : say("evolve.breed");
  }

  // Those that were picked become works, so that the family tree holds them, and then parents.
  async breed() {
    this.breedButton.disabled = true;
    try {
      if (this.picked.length) {
        const fresh = this.picked.filter((child) => !child.work);
        if (fresh.length) {
          const kept = await memory.keep(fresh.map((child) => this.form(child)), this.run);
          fresh.forEach((child, index) => { child.work = kept[index].id; });
        }
        this.state.parents = this.picked.map((child) => child.work).slice(0, MOST_PARENTS);
      }
      const { parents, boldness, crossover } = this.state;
      this.state.seed = crypto.getRandomValues(new Uint32Array(1))[0];
      const from = parents.length ? parents.map((work) => ({ work })) : [await this.beginning()];
      const born = await post(`/runs/${this.run.id}/litter`, { parents: from, count: CHILDREN, boldness, crossover, seed: this.state.seed });
      this.state.children = born.map((point) => ({ point: { latent: point.latent, condition: point.condition, seed: point.latent ? null : point.seed },
        parents: [...parents], settings: { boldness, crossover }, picked: false, work: null }));
      this.draw();
      await this.showChildren();
    } finally {
      this.breedButton.disabled = false;
    }
  }

  // Where nobody was chosen, the place in Explore is the one parent.
  async beginning() {
    const { latent, condition, seed } = memory.place(this.run);
    return latent ? { latent: Array.from(latent), condition } : { seed, condition };
  }

  form(child) { return { point: child.point, origin: "bred", parents: child.parents, settings: child.settings }; }

  async showChildren() {
    const { children } = this.state;
    if (!children.length) {
      this.litter.replaceChildren();
      this.litter.hidden = true;
      this.litter.parentElement.hidden = true;
      return;
    }
    this.litter.hidden = this.litter.parentElement.hidden = false;
    const canvases = children.map(() => element("canvas.picture"));
    this.litter.replaceChildren(...children.map((child, index) => this.card(child, canvases[index], index)));
    await trying(() => paintAll(this.run.id, children.map((child) => child.point), canvases))();
    this.dataset.painted = String(Number(this.dataset.painted ?? 0) + 1);
  }

  card(child, canvas, index) {
    const pick = element("button", { type: "button", "aria-pressed": String(child.picked), "aria-label": say("evolve.pick", { n: index + 1 }), onclick: () => {
      child.picked = !child.picked;
      pick.setAttribute("aria-pressed", String(child.picked));
      this.label();
    } }, canvas);
    const keep = element("button", { type: "button", disabled: Boolean(child.work), "aria-label": say("evolve.keep", { n: index + 1 }), onclick: trying(async () => {
      keep.disabled = true;
      const [work] = await memory.keep([this.form(child)], this.run);
      child.work = work.id;
      tell(say("kept"));
    }) }, say("keep"));
    return element("div.child", {}, pick, element("div.row", {}, keep));
  }
}

customElements.define("tvir-evolve", Evolve);
