// What the pages share: the runs, where in each a person is, and the works. It outlives leaving a page.
import { floats, get, post } from "./server.js";

const PAGE = 1000;

// Works, the newest first, as far back as somebody has asked; `which` is "all", "favourites" or the id of a collection.
export class Listing {
  constructor(which = "all") {
    this.which = which;
    this.query = { all: "", favourites: "&favourites=true" }[which] ?? `&collection=${which}`;
    this.works = [];
    this.total = 0;
    this.wanted = PAGE;
  }

  async read() {
    const works = [];
    let page;
    do {
      page = await get(`/works?limit=${PAGE}${this.query}${works.length ? `&before=${works.at(-1).id}` : ""}`);
      works.push(...page);
    } while (page.length === PAGE && works.length < this.wanted);
    this.total = page.length < PAGE ? works.length : (await get(`/works/count?${this.query}`)).works;
    this.works = works;
  }

  older() {
    this.wanted = this.works.length + PAGE;
    return this.read();
  }
}

class Memory extends EventTarget {
  constructor() {
    super();
    this.everyRun = [];        // also those that make no pictures
    this.runs = [];
    this.run = null;
    this.all = new Listing();
    this.listed = this.all;    // what the gallery shows
    this.collections = [];
    this.about = { films: false };
    this.places = new Map();   // by weights: { latent, condition, seed, parents }
    this.charts = new Map();   // by weights
    this.blend = { works: [], at: [0.5, 0.5], condition: null, weights: null };
    this.litters = new Map();  // by weights
    this.paths = new Map();    // by weights: the places of a path
    this.mine = null;          // { work, point } that is being begun from
  }

  changed(what) { this.dispatchEvent(new CustomEvent(what)); }

  async readRuns() {
    [this.everyRun, this.about] = await Promise.all([get("/runs"), get("/about")]);
    this.runs = this.everyRun.filter((run) => run.kind === "image");
    let kept = null;
    try { kept = sessionStorage.getItem("run"); } catch { /* private windows */ }
    this.run = this.runs.find((run) => run.id === (this.run?.id ?? kept)) ?? this.runs[0] ?? null;
    this.changed("runs");
  }

  choose(id) {
    this.run = this.runs.find((run) => run.id === id) ?? this.run;
    try { sessionStorage.setItem("run", this.run.id); } catch { /* private windows */ }
    this.changed("run");
  }

  async readWorks() {
    [this.collections] = await Promise.all([get("/collections"), ...[...new Set([this.all, this.listed])].map((listing) => listing.read())]);
    this.changed("works");
  }

  get works() { return this.all.works; }

  // The works that the present run can go on from.
  get alive() { return this.works.filter((work) => work.alive && work.weights === this.run?.weights); }

  work(id) { return [...this.works, ...this.listed.works].find((work) => work.id === id); }

  async chart(run) {
    if (!this.charts.has(run.weights)) {
      const read = await get(`/runs/${run.id}/chart`);
      for (const name of ["centre", "axes", "points"]) read[name] = floats(read[name]);
      for (const direction of read.directions) direction.vector = floats(direction.vector);
      this.charts.set(run.weights, read);
    }
    return this.charts.get(run.weights);
  }

  place(run) {
    if (!this.places.has(run.weights)) {
      this.places.set(run.weights, { latent: null, condition: run.classes.length ? 0 : null, seed: 0, parents: [] });
    }
    return this.places.get(run.weights);
  }

  async keep(works, run = this.run) {
    const kept = await post("/works", { run: run.id, works });
    await this.readWorks();
    this.changed("done");
    return kept;
  }

  // Goes on from a work in Explore.
  async goTo(work) {
    const run = this.runs.find((candidate) => candidate.id === work.alive);
    if (!run) return;
    const point = await post(`/runs/${run.id}/point`, { work: work.id });
    this.places.set(run.weights, { latent: point.latent && Float32Array.from(point.latent), condition: point.condition,
      seed: point.seed ?? 0, parents: [work.id] });
    if (this.run.id !== run.id) this.choose(run.id);
    location.hash = "#/explore";
  }
}

export const memory = new Memory();
