// What there is to do where there is no run: a training of 30 seconds.
import { element, tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { get, post } from "../server.js";
import { say } from "../words.js";

const SECONDS = 30;

class Welcome extends HTMLElement {
  connectedCallback() {
    this.bar = element("progress", { max: 1, value: 0, hidden: true, "aria-label": say("training") });
    this.state = element("p.soft", { role: "status" });
    this.model = element("select", { id: "first-model" },
      ...["vae", "gan", "unbalanced-gan"].map((name) => element("option", { value: name }, say(`model.${name}`))));
    this.button = element("button.main", { type: "button", onclick: trying(() => this.train()) },
      say("welcome.train", { seconds: SECONDS }));
    this.replaceChildren(element("section.card.stack", {},
      element("div", {}, element("h1", {}, say("welcome.title")), element("p", {}, say("welcome.text"))),
      element("div.row", {}, element("label", { htmlFor: "first-model" }, say("model")), this.model, this.button),
      this.bar, this.state, element("p.soft", {}, say("welcome.own"))));
  }

  disconnectedCallback() { clearTimeout(this.timer); }

  async train() {
    this.button.disabled = true;
    this.bar.hidden = false;
    const begun = await post("/learning/runs", { model: this.model.value, data: "built-in:digits", budget: `${SECONDS}s` }).catch((error) => {
      this.button.disabled = false;
      throw error;
    });
    this.look(begun.id);
  }

  async look(id) {
    const run = await get(`/learning/runs/${id}`);
    this.bar.value = run.share;
    this.state.textContent = say("training.share", { share: Math.round(100 * run.share) });
    if (run.state === "preparing" || run.state === "running") {
      this.timer = setTimeout(trying(() => this.look(id)), 500);
      return;
    }
    if (!run.weights) {
      this.button.disabled = false;
      this.state.textContent = say("training.failed", { why: run.said || say(`state.${run.state}`) });
      return;
    }
    await post(`/learning/runs/${id}/opened`);
    tell(say("training.finished"));
    await memory.readRuns();
    memory.choose(id);
  }
}

customElements.define("tvir-welcome", Welcome);
