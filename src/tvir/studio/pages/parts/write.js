// Ask for texts: write and continue, watched as they grow; vary a sentence; walk from one to another.
import { complain, element, icon, tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { get, post, streamed } from "../server.js";
import { say } from "../words.js";
import { classButtons, classesOf } from "./classes.js";

const MODES = ["write", "vary", "between"];
const MOST = 60;   // texts on the sheet

// What is asked outlives leaving the page.
const asked = { run: null, mode: "write", begun: "", sentence: "", first: "", last: "", temperature: 1, topP: 1, boldness: 0.5, seed: 0, condition: null, texts: [] };

// Works by their texts: what grows from one of them descends from it.
const works = new Map();

// Writing goes on from a work of the gallery.
export function goOnFrom(work) {
  works.set(work.text, work.id);
  Object.assign(asked, { run: work.alive, sentence: work.text, first: work.text, begun: work.text, condition: work.condition });
  location.hash = "#/write";
}

class Write extends HTMLElement {
  connectedCallback() {
    this.runs = memory.everyRun.filter((run) => run.kind === "text");
    const wanted = location.hash.slice(2).split("/")[1];
    if (wanted) asked.run = wanted;
    const run = this.runs.find((found) => found.id === asked.run) ?? this.runs[0];
    this.replaceChildren(element("div.head", {}, element("h1", {}, say("page.write")), element("p", {}, say("write.text"))));
    if (!run) {
      this.append(element("div.empty", {}, element("p", {}, say("write.none")), element("p", {}, element("a.button.main", { href: "#/train/new" }, say("train.new")))));
      return;
    }
    asked.run = run.id;
    if (!run.classes[asked.condition]) asked.condition = null;
    trying(() => this.build(run))();
  }

  disconnectedCallback() { this.writing?.abort(); }

  async build(run) {
    this.run = run;
    this.can = await get(`/runs/${run.id}/author`);
    if (!this.can.varies) asked.mode = "write";
    const pick = element("select", { id: "write-run", onchange: () => { asked.run = pick.value; location.hash = `#/write/${pick.value}`; } },
      ...this.runs.map((found) => element("option", { value: found.id, selected: found.id === run.id }, `${found.name} · ${found.model}`)));
    this.modes = element("div.row", { role: "group", "aria-label": say("write.mode") });
    this.fields = element("div.stack");
    this.sheet = element("ul.sheet", { "aria-label": say("write.sheet") });
    this.nothing = element("p.empty", {}, say("write.empty"));
    this.append(element("div.columns", {},
      element("section.card.stack", { "aria-label": say("write.ask") }, element("div.field", {}, element("label", { htmlFor: "write-run" }, say("write.run")), pick), this.modes, this.fields),
      element("section.stack", { "aria-label": say("write.sheet") }, this.nothing, this.sheet)));
    this.show();
    this.draw();
  }

  show() {
    const can = { write: true, vary: this.can.varies, between: this.can.varies };
    const names = { write: say(this.can.continues ? "write.write-or-continue" : "write.write"), vary: say("write.vary"), between: say("write.between") };
    this.modes.replaceChildren(...MODES.map((mode) => element("button", { type: "button", disabled: !can[mode], title: can[mode] ? "" : say("write.cannot"), "aria-pressed": String(asked.mode === mode), onclick: () => { asked.mode = mode; this.show(); } }, names[mode])));
    const form = { write: () => this.writeForm(), vary: () => this.varyForm(), between: () => this.betweenForm() }[asked.mode]();
    this.fields.replaceChildren(form);
  }

  area(id, key, text, help = "") {
    const input = element("textarea", { id, value: asked[key], maxLength: 4000, oninput: () => { asked[key] = input.value; } });
    return element("div.field", {}, element("label", { htmlFor: id }, text), input, help ? element("small.soft", {}, help) : null);
  }

  dial(id, key, text, from, to, step, help) {
    const told = () => asked[key].toLocaleString(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    const shown = element("output", { htmlFor: id }, told());
    const input = element("input", { type: "range", id, min: from, max: to, step, value: asked[key], "aria-describedby": `${id}-about`, oninput: () => { asked[key] = Number(input.value); shown.textContent = told(); } });
    return element("div", {}, element("div.dial", {}, element("label", { htmlFor: id }, text), shown, input), element("small.soft", { id: `${id}-about` }, help));
  }

  form(action, ...parts) {
    const form = element("form.stack", { onsubmit: trying(async (event) => { event.preventDefault(); await action(); }) }, ...parts);
    form.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); } });
    return form;
  }

  writeForm() {
    this.stop = element("button", { type: "button", hidden: true, onclick: () => this.writing?.abort() }, say("write.stop"));
    return this.form(() => this.write(asked.begun), classButtons(classesOf(this.run, say("write.class")), asked.condition, (condition) => { asked.condition = condition; }),
      this.can.continues ? this.area("write-begun", "begun", say("write.begun"), say("write.begun.text")) : null,
      this.dial("write-temperature", "temperature", say("write.temperature"), 0.1, 2, 0.05, say("write.temperature.text")),
      this.dial("write-top-p", "topP", say("write.top-p"), 0.05, 1, 0.05, say("write.top-p.text")),
      element("div.row", {}, element("button.main", { type: "submit", "aria-keyshortcuts": "Control+Enter" }, say("write.write")), this.stop));
  }

  varyForm() {
    return this.form(() => this.vary(asked.sentence), this.area("write-sentence", "sentence", say("write.sentence")),
      this.dial("write-boldness", "boldness", say("setting.boldness"), 0, 1.5, 0.05, say("write.boldness.text")),
      element("div.row", {}, element("button.main", { type: "submit", "aria-keyshortcuts": "Control+Enter" }, say("write.vary"))));
  }

  betweenForm() {
    return this.form(() => this.between(), this.area("write-first", "first", say("write.first")), this.area("write-last", "last", say("write.last")),
      element("div.row", {}, element("button.main", { type: "submit", "aria-keyshortcuts": "Control+Enter" }, say("write.between"))));
  }

  // A text grows before one's eyes.
  async write(begun) {
    this.writing?.abort();
    const written = { begun, seed: Math.floor(Math.random() * 2 ** 31), temperature: asked.temperature, top_p: asked.topP, condition: asked.condition };
    const entry = { run: this.run.id, text: "", begun, how: { written }, from: [begun], growing: true };
    this.put([entry]);
    this.writing = new AbortController();
    const { signal } = this.writing;
    if (this.stop) this.stop.hidden = false;
    try {
      await streamed(`/runs/${this.run.id}/write`, written, (line) => {
        if (line.more) { entry.text += line.more; entry.show(); }
        if (line.failed) complain({ code: "failed", message: line.failed });
        if (line.done) entry.whole = true;
      }, signal);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      entry.growing = false;
      entry.show();
      if (this.stop) this.stop.hidden = true;
      if (entry.whole) tell(say("write.done"));
    }
  }

  async vary(sentence) {
    if (!sentence.trim()) return;
    const varied = { sentence, boldness: asked.boldness, count: 6, seed: Math.floor(Math.random() * 2 ** 31) };
    const { texts } = await post(`/runs/${this.run.id}/vary`, varied);
    this.put(texts.map((text, index) => ({ run: this.run.id, text, begun: "", how: { varied, index }, from: [sentence], whole: true })));
  }

  async between() {
    if (!asked.first.trim() || !asked.last.trim()) return;
    const between = { first: asked.first, last: asked.last, steps: 7 };
    const { texts } = await post(`/runs/${this.run.id}/between`, between);
    this.put(texts.map((text, index) => ({ run: this.run.id, text, begun: "", how: { between, index }, from: [between.first, between.last], whole: true })));
  }

  put(entries) {
    asked.texts = [...entries, ...asked.texts].slice(0, MOST);
    this.draw();
  }

  draw() {
    const texts = asked.texts.filter((entry) => entry.run === this.run.id);
    this.nothing.hidden = texts.length > 0;
    this.sheet.replaceChildren(...texts.map((entry) => this.entry(entry)));
  }

  entry(entry) {
    const said = element("p.said");
    const keep = element("button", { type: "button", onclick: trying(async () => {
      const kept = await post(`/runs/${entry.run}/texts`, { ...entry.how, parents: entry.from.flatMap((text) => (text && works.get(text)) || []) });
      works.set(kept.text, kept.id);
      entry.kept = true;
      entry.show();
      tell(say("kept"));
      await memory.readWorks();
      memory.changed("done");
    }) }, icon("heart"), say("keep"));
    const whole = () => entry.begun + entry.text;
    const buttons = element("div.row", {}, keep,
      this.can.continues ? element("button", { type: "button", onclick: trying(() => this.write(whole())) }, say("write.continue")) : null,
      this.can.varies ? element("button", { type: "button", onclick: trying(() => { asked.sentence = whole(); asked.mode = "vary"; this.show(); return this.vary(whole()); }) }, say("write.vary-this")) : null,
      element("button", { type: "button", onclick: trying(async () => { await navigator.clipboard.writeText(whole()); tell(say("write.copied")); }) }, say("write.copy")));
    entry.show = () => {
      said.replaceChildren(...(entry.begun ? [element("mark", {}, entry.begun)] : []), entry.text);
      said.classList.toggle("writing", Boolean(entry.growing));
      keep.disabled = Boolean(entry.kept) || !entry.whole;
    };
    entry.show();
    return element("li", {}, said, buttons);
  }
}

customElements.define("tvir-write", Write);
