// Train and watch: the runs there are, each as it is now; what it was told to do; and where new ones begin.
import { complain, element, tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { get, post } from "../server.js";
import { amount, count, duration, say } from "../words.js";
import { Chart } from "./chart.js";
import { ImageSets } from "./images.js";
import { TrainForm, wish } from "./trainform.js";

const SOON = 1000, LATER = 5000;   // milliseconds between two looks

const live = (run) => run.state === "running" || run.state === "preparing";

// Asks again and again, slower where nothing happens; ends with the page.
class Pulse {
  constructor(owner, beat) {
    this.owner = owner;
    this.beat = beat;
    this.over = false;
    this.now();
  }

  async now() {
    clearTimeout(this.timer);
    let wait = LATER;
    try {
      wait = await this.beat() ? SOON : LATER;
    } catch (error) {
      if (this.owner.isConnected && error.code !== "gone") complain(error);
    }
    if (!this.over) this.timer = setTimeout(() => this.now(), wait);
  }

  stop() {
    this.over = true;
    clearTimeout(this.timer);
  }
}

class Train extends HTMLElement {
  connectedCallback() {
    this.pulses = [];
    const [place = "", more = ""] = location.hash.slice(2).split("/").slice(1);
    const tab = ["new", "pictures"].includes(place) ? place : "runs";
    const link = (name, address, text) => element("a", { href: address, "aria-current": tab === name ? "true" : null }, text);
    this.body = element("div");
    this.replaceChildren(
      element("div.head", {}, element("h1", {}, say("train.title")), element("p", {}, say("train.text"))),
      element("div.tabs", {}, link("runs", "#/train", say("train.runs")), link("new", "#/train/new", say("train.new")),
        link("pictures", "#/train/pictures", say("train.pictures"))),
      this.body);
    if (tab === "new") this.body.replaceChildren(new TrainForm().node);
    else if (tab === "pictures") this.sets = new ImageSets(this.body, more);
    else this.watch(place);
  }

  disconnectedCallback() {
    for (const pulse of this.pulses) pulse.stop();
    this.sets?.close();
  }

  watch(chosen) {
    this.list = element("ul.runs", { "aria-label": say("train.runs") });
    this.side = element("div.stack");
    this.body.replaceChildren(element("div.columns", {},
      element("section.card.stack", {}, this.list), this.side));
    this.links = new Map();
    this.pulses.push(new Pulse(this, async () => {
      const runs = await get("/learning/runs");
      this.draw(runs, chosen || runs[0]?.id);
      if (!this.close && runs.length) this.open(chosen || runs[0].id);
      return runs.some(live);
    }));
  }

  draw(runs, chosen) {
    if (!runs.length) {
      this.list.replaceWith(element("p.empty", {}, say("train.none")));
      return;
    }
    const rows = runs.map((run) => {
      if (!this.links.has(run.id)) this.links.set(run.id, new RunLink(run, run.id === chosen));
      const row = this.links.get(run.id);
      row.show(run);
      return row.node;
    });
    if (rows.some((row, index) => this.list.children[index] !== row) || rows.length !== this.list.children.length) {
      const focus = document.activeElement;
      this.list.replaceChildren(...rows);
      if (this.list.contains(focus)) focus.focus({ preventScroll: true });
    }
  }

  open(id) {
    this.close = new RunView(this, id);
    this.side.replaceChildren(this.close.node);
  }
}

class RunLink {
  constructor(run, chosen) {
    this.state = element("span");
    this.about = element("small.soft");
    this.bar = element("progress", { max: 1, "aria-label": run.name });
    this.node = element("li", {}, element("a", { href: `#/train/${run.id}`, "aria-current": chosen ? "true" : null },
      element("b", {}, run.name), " ", this.state, this.about, this.bar));
  }

  show(run) {
    this.state.className = `state ${run.state}`;
    this.state.textContent = say(`state.${run.state}`);
    this.about.textContent = [run.model, run.data].filter(Boolean).join(" · ");
    this.bar.value = run.share;
    this.bar.hidden = !live(run);
  }
}

class RunView {
  constructor(page, id) {
    this.page = page;
    this.id = id;
    this.charts = new Map();
    this.frames = new Map();
    this.node = element("div.stack");
    this.pulse = new Pulse(page, () => this.look());
    page.pulses.push(this.pulse);
  }

  async look() {
    const run = await get(`/learning/runs/${this.id}`);
    if (!run.kind) {
      this.waits(run);
      return live(run);
    }
    if (!this.built) this.build(run);
    this.show(run);
    return live(run);
  }

  // A run whose data is still read has no folder to look into.
  waits(run) {
    const text = run.state === "failed" ? say("training.failed", { why: run.said }) : say("train.preparing");
    this.node.replaceChildren(element("section.card.stack", {}, element("h2", {}, run.name),
      element("p", { role: "status", className: run.state === "failed" ? "wrong" : "" }, text)));
  }

  build(run) {
    this.built = true;
    this.state = element("span");
    this.bar = element("progress", { max: 1, "aria-label": say("training") });
    this.far = element("p.soft", { role: "status" });
    this.said = element("p.wrong");
    this.buttons = element("div.row");
    this.curves = element("div.charts");
    this.noCurves = element("p.soft", {}, say("train.no-curves"));
    this.phases = element("ul.phases", { "aria-label": say("train.phases") });
    this.film = element("ul.film", { "aria-label": say("train.film") });
    this.health = element("div.stack");
    this.scores = element("div.stack");
    this.noted = element("div");
    const card = (name, ...children) => element("section.card.stack", { "aria-label": say(name) }, element("h2", {}, say(name)), ...children);
    this.filmCard = card("train.film", element("p.soft", {}, say("train.film.text")), this.film);
    this.node.replaceChildren(
      element("section.card.stack", {}, element("div.row.spread", {}, element("h2", {}, run.name), this.state),
        element("p.soft", {}, this.about(run)), this.bar, this.far, this.said, this.buttons),
      card("train.losses", this.noCurves, this.curves, this.phases),
      this.filmCard,
      card("train.health", this.health),
      card("train.scorecard", this.scores),
      element("section.card", {}, this.noted));
    this.page.pulses.push(new Pulse(this.page, () => this.examine()), new Pulse(this.page, () => this.judge()));
  }

  about(run) {
    const parts = [say("train.learns", { model: run.model, data: run.data }), say("train.budget.of", { budget: run.budget })];
    if (run.start_from) parts.push(say("train.started-from", { name: run.start_from }));
    return parts.join(" · ");
  }

  show(run) {
    const before = this.run;
    this.run = run;
    this.state.className = `state ${run.state}`;
    this.state.textContent = say(`state.${run.state}`);
    this.bar.value = run.share;
    const left = run.seconds_left === null ? "" : say("train.left", { time: duration(run.seconds_left) });
    this.far.textContent = [say("training.share", { share: Math.round(100 * run.share) }), count("steps", run.step), left].filter(Boolean).join(" · ");
    this.said.textContent = run.state === "failed" ? say("training.failed", { why: run.said }) : "";
    if (before?.state !== run.state || before?.weights !== run.weights) this.offer(run);
    this.drawCurves(run);
    this.drawFilm(run);
    this.note(run);
    if (before && live(before) && run.state === "finished") {
      tell(say("training.finished"));
      trying(() => memory.readRuns())();
    }
  }

  offer(run) {
    const button = (name, action, main = false) => element(`button${main ? ".main" : ""}`, { type: "button", onclick: trying(action) }, say(name));
    const pictures = run.kind === "image";
    const goOn = run.state === "interrupted" || run.state === "failed" || run.state === "planned";
    this.buttons.replaceChildren(...[
      live(run) ? button("train.stop", async () => { await post(`/learning/runs/${this.id}/stop`); tell(say("train.stopping")); this.soon(); }) : null,
      goOn ? button("train.resume", async () => { await post(`/learning/runs/${this.id}/resume`); tell(say("train.resumed")); this.soon(); }, true) : null,
      run.weights && pictures ? button("train.explore", async () => { await this.use(); memory.choose(this.id); location.hash = "#/explore"; }, run.state === "finished") : null,
      run.weights && run.kind === "text" ? button("train.write", async () => { await this.use(); location.hash = `#/write/${this.id}`; }, run.state === "finished") : null,
      run.weights ? button("train.fine-tune", () => { Object.assign(wish, { startFrom: this.id, data: null }); location.hash = "#/train/new"; }) : null,
      run.images ? element("a.button", { href: `#/train/pictures/${run.images}` }, say("train.its-pictures")) : null,
    ].filter(Boolean));
  }

  // Among the runs that can be created with.
  async use() {
    await post(`/learning/runs/${this.id}/opened`);
    await memory.readRuns();
  }

  soon() { setTimeout(() => this.pulse.now(), 400); }

  drawCurves(run) {
    this.noCurves.hidden = run.curves.length > 0;
    for (const curve of run.curves) {
      if (!this.charts.has(curve.name)) {
        this.charts.set(curve.name, new Chart(curve.name));
        this.curves.append(this.charts.get(curve.name).node);
      }
      this.charts.get(curve.name).show(curve, run.phases);
    }
    this.phases.hidden = run.phases.length < 2;
    this.phases.replaceChildren(...run.phases.map((phase) => element("li", {}, say("train.phase", {
      name: phase.name, first: amount(phase.first), last: amount(phase.last) }))));
  }

  drawFilm(run) {
    this.filmCard.hidden = run.film.length === 0;
    const atEnd = this.film.scrollLeft + this.film.clientWidth >= this.film.scrollWidth - 40;
    let more = false;
    for (const step of run.film) {
      if (this.frames.has(step)) continue;
      const name = say("train.frame", { step: amount(step) });
      const seen = run.kind === "text" ? element("span.said", {}) : element("img", { src: this.frame(step), alt: name, loading: "lazy" });
      if (run.kind === "text") trying(async () => { seen.textContent = (await get(`/learning/runs/${this.id}/film/${step}`)).texts.slice(0, 6).join("\n"); })();
      const node = element("li", {}, element("button", { type: "button", "aria-label": name, onclick: () => this.enlarge(step) }, seen), element("small.soft", {}, amount(step)));
      this.frames.set(step, node);
      this.film.append(node);
      more = true;
    }
    if (more && atEnd) this.film.scrollLeft = this.film.scrollWidth;
  }

  frame(step) { return `/api/learning/runs/${this.id}/film/${step}.png`; }

  // The film, frame by frame, under a slider.
  enlarge(step) {
    const film = this.run.film;
    const caption = element("output", { htmlFor: "film-at" });
    const place = element("div");
    const slider = element("input", { type: "range", id: "film-at", min: 0, max: film.length - 1, step: 1, value: film.indexOf(step), oninput: () => show() });
    const show = trying(async () => {
      const at = film[Number(slider.value)];
      caption.textContent = say("train.frame", { step: amount(at) });
      slider.setAttribute("aria-valuetext", caption.textContent);
      if (this.run.kind === "text") {
        const { texts } = await get(`/learning/runs/${this.id}/film/${at}`);
        place.replaceChildren(element("ul.sheet", {}, ...texts.map((text) => element("li", {}, text))));
      } else place.replaceChildren(element("img.large", { src: this.frame(at), alt: caption.textContent }));
    });
    const dialog = element("dialog", { "aria-label": say("train.film"), onclose: () => dialog.remove() },
      element("div.stack", {}, place, element("div.dial", {}, element("label", { htmlFor: "film-at" }, say("train.film.at")), caption, slider),
        element("div.row", {}, element("button", { type: "button", onclick: () => dialog.close() }, say("close")))));
    document.body.append(dialog);
    dialog.showModal();
    show();
  }

  async examine() {
    const language = document.documentElement.lang;
    const found = await get(`/learning/runs/${this.id}/health?language=${language}`);
    const key = JSON.stringify([found, this.run?.weights]);
    if (key !== this.healthKey) {
      this.healthKey = key;
      const findings = found.whole ?? found.log;
      const button = element("button", { type: "button", disabled: found.examining || !this.run?.weights, onclick: trying(async () => {
        button.disabled = true;
        await post(`/learning/runs/${this.id}/examination`);
        tell(say("train.examining"));
      }) }, say(found.examining ? "train.examining" : "train.examine"));
      this.health.replaceChildren(
        element("p.soft", {}, say(found.whole ? "train.health.whole" : "train.health.log")),
        findings.length ? table(say("train.health"), [say("train.check"), say("train.seen"), say("train.verdict"), say("train.mend")], findings.map((finding) => element("tr", {},
          element("th", { scope: "row" }, finding.title), element("td", {}, finding.seen),
          element("td", {}, element(`span.state.${finding.condition}`, {}, finding.condition_name)), element("td", {}, finding.mend)))) : element("p", {}, say("train.health.none")),
        element("p.wrong", {}, found.trouble), element("div.row", {}, button));
    }
    return found.examining;
  }

  async judge() {
    const language = document.documentElement.lang;
    const card = await get(`/learning/runs/${this.id}/scorecard?language=${language}`);
    const key = JSON.stringify([card, this.run?.weights]);
    if (key !== this.cardKey) {
      this.cardKey = key;
      const button = element("button", { type: "button", disabled: card.judging || !this.run?.weights, onclick: trying(async () => {
        button.disabled = true;
        await post(`/learning/runs/${this.id}/judgement?language=${language}`);
        tell(say("train.judging"));
      }) }, say(card.judging ? "train.judging" : card.judged ? "train.judge-again" : "train.judge"));
      this.scores.replaceChildren(
        element("p.soft", {}, say(card.judged ? card.older ? "train.scorecard.older" : "train.scorecard.legend" : "train.scorecard.none")),
        ...(card.judged ? this.tables(card) : []),
        element("p.wrong", {}, card.trouble),
        element("div.row", {}, button, card.report ? element("a.button", { href: `/api/learning/runs/${this.id}/report.html`, download: "" }, say("train.report")) : null));
    }
    return card.judging;
  }

  // What is read first, then the rest of it.
  tables(card) {
    const open = this.scores.querySelector("details")?.open ?? false;
    return [this.cardTable(card.axes, true), element("details", { open }, element("summary", {}, say("train.all-scores")), this.cardTable(card.axes, false), notes(card.findings))];
  }

  cardTable(axes, first) {
    const chosen = axes.map((axis) => ({ ...axis, scores: axis.scores.filter((score) => score.first === first) })).filter((axis) => axis.scores.length);
    const rows = chosen.flatMap((axis) => {
      const heading = element("tr.group", {}, element("th", { colSpan: 4, scope: "colgroup" }, axis.name, " ", element("small.soft", {}, axis.asks)));
      const row = (score) => element("tr", {}, element("th", { scope: "row", title: score.about }, `${score.better === "lower" ? "↓" : "↑"} `, element("span.sr", {}, say(score.better === "lower" ? "train.lower" : "train.higher")), score.metric),
        element("td.number", {}, score.value), element("td.number", {}, score.interval || "–"), element("td.number", {}, score.floor || "–"));
      return [heading, ...axis.scores.map(row)];
    });
    return table(say("train.scorecard"), [say("train.score"), say("train.value"), say("train.interval"), say("train.floor")], rows, [1, 2, 3]);
  }

  note(run) {
    const key = JSON.stringify([run.findings, run.settings]);
    if (key === this.noteKey) return;
    this.noteKey = key;
    this.noted.replaceChildren(
      ...(run.findings.length ? [element("h2", {}, say("train.noticed")), notes(run.findings)] : []),
      element("details", {}, element("summary", {}, say("train.settings")), element("dl.facts", { lang: "en" },
        ...Object.entries(run.settings).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]))));
  }
}

function table(name, columns, rows, numbers = []) {
  return element("div.wide", { tabIndex: 0, role: "group", "aria-label": name }, element("table.plain", {}, element("thead", {}, element("tr", {}, ...columns.map((name, index) => element(`th${numbers.includes(index) ? ".number" : ""}`, { scope: "col" }, name)))), element("tbody", {}, ...rows)));
}

function notes(texts) {
  return texts.length ? element("ul.soft", { lang: "en" }, ...texts.map((text) => element("li", {}, text))) : "";
}

customElements.define("tvir-train", Train);
