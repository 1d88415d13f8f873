// The form of a new training: its settings are those of the model, and the server checks them as the command line does.
import { element, tell, trying } from "../dom.js";
import { get, post } from "../server.js";
import { say } from "../words.js";

// What other pages want the form to begin with.
export const wish = { data: null, startFrom: null };

const CALM = 400;   // milliseconds without a change before the server is asked
const SIDES = [8, 16, 32, 48, 64, 96, 128];

export class TrainForm {
  constructor() {
    this.node = element("form.columns", { onsubmit: trying(async (event) => { event.preventDefault(); await this.start(); }), oninput: () => this.changed() });
    this.node.append(element("p.soft", { role: "status" }, say("train.reading")));
    trying(() => this.build())();
  }

  async build() {
    const [choices, runs] = await Promise.all([get("/learning/choices"), get("/learning/runs")]);
    this.models = choices.models;
    this.data = choices.data;
    this.runs = runs.filter((run) => run.weights);
    this.dataField = this.select("train-data", this.dataOptions());
    this.fromField = this.select("train-from", [element("option", { value: "" }, say("train.from.nothing")), ...this.runs.map((run) => element("option", { value: run.id }, `${run.name} · ${run.model}`))]);
    this.modelField = this.select("train-model", []);
    this.paper = element("small.soft", { id: "train-model-about", lang: "en" });
    this.modelField.setAttribute("aria-describedby", "train-model-about");
    this.amount = element("input", { type: "number", id: "train-budget", min: 1, step: "any", value: 2, required: true });
    this.unit = element("select", { "aria-label": say("train.unit") }, ...[["s", "unit.seconds"], ["m", "unit.minutes"], ["h", "unit.hours"], ["steps", "unit.steps"]].map(([value, key]) => element("option", { value, selected: value === "m" }, say(key))));
    this.size = this.select("train-size", [element("option", { value: "" }, say("train.size.own")), ...SIDES.map((side) => element("option", { value: side }, `${side} × ${side}`))]);
    this.sizeField = field("train-size", say("train.size"), this.size, say("train.size.text"));
    this.seed = element("input", { type: "number", id: "train-seed", min: 0, step: 1, value: 0 });
    this.main = element("div.fields");
    this.rest = element("div.fields");
    this.wrong = element("p.wrong", { role: "alert", lang: "en" });
    this.command = element("code.command", { lang: "en" });
    this.button = element("button.main", { type: "submit" }, say("train.begin"));
    if (wish.startFrom) this.fromField.value = wish.startFrom;
    if (wish.data) this.dataField.value = wish.data;
    else if (wish.startFrom) this.dataField.value = this.sameData() ?? this.dataField.value;
    Object.assign(wish, { data: null, startFrom: null });
    this.node.replaceChildren(
      element("section.card.stack", { "aria-label": say("train.what") },
        element("h2", {}, say("train.what")),
        field("train-data", say("train.data"), this.dataField, say("train.data.text")),
        element("p", {}, element("a", { href: "#/train/pictures" }, say("train.add-pictures"))),
        field("train-from", say("train.from"), this.fromField, say("train.from.text")),
        field("train-model", say("model"), this.modelField, this.paper),
        element("div.field", {}, element("label", { htmlFor: "train-budget" }, say("train.budget")), element("div.row", {}, this.amount, this.unit), element("small.soft", {}, say("train.budget.text"))),
        this.sizeField),
      element("section.card.stack", { "aria-label": say("train.settings") },
        element("h2", {}, say("train.settings")), element("p.soft", {}, say("train.settings.text")), this.main,
        element("details", {}, element("summary", {}, say("train.all-settings")), element("div.stack", {}, field("train-seed", say("seed"), this.seed, ""), this.rest)),
        element("h2", {}, say("train.terminal")), this.command, this.wrong, element("div.row", {}, this.button)));
    this.dataField.addEventListener("change", () => this.offerModels());
    this.fromField.addEventListener("change", () => this.offerModels());
    this.modelField.addEventListener("change", trying(() => this.offerSettings()));
    this.offerModels();
  }

  select(id, options) { return element("select", { id }, ...options); }

  dataOptions() {
    const group = (key, prefix) => {
      const found = this.data.filter((choice) => choice.id.startsWith(prefix));
      return found.length ? [element("optgroup", { label: say(key) }, ...found.map((choice) => element("option", { value: choice.id }, choice.name)))] : [];
    };
    return [...group("train.data.built-in", "built-in:"), ...group("train.data.pictures", "images:"), ...group("train.data.folder", "folder:")];
  }

  // The data that the run to start from has learned, where it is among those that may be chosen.
  sameData() {
    const run = this.runs.find((found) => found.id === this.fromField.value);
    return this.data.find((choice) => choice.name === run?.data)?.id;
  }

  get from() { return this.runs.find((run) => run.id === this.fromField.value) ?? null; }
  get kind() { return this.data.find((choice) => choice.id === this.dataField.value)?.kind ?? null; }

  offerModels() {
    const { from, kind } = this;
    const before = this.modelField.value;
    const fits = this.models.filter((model) => from ? model.name === from.model : !kind || model.missing || model.kinds.includes(kind));
    const families = [...new Set(fits.map((model) => model.family))];
    this.modelField.replaceChildren(...families.map((family) => element("optgroup", { label: family === "recipe" ? say("train.recipes") : family }, ...fits.filter((model) => model.family === family)
      .map((model) => element("option", { value: model.name, disabled: model.missing !== null }, model.missing ? say("train.missing", { name: model.name, extra: model.missing }) : model.name)))));
    const wanted = [before, "unbalanced-gan", "language-model"].find((name) => fits.some((model) => model.name === name && !model.missing));
    if (wanted) this.modelField.value = wanted;
    this.sizeField.hidden = kind !== "image" || from !== null;
    trying(() => this.offerSettings())();
  }

  async offerSettings() {
    const name = this.modelField.value;
    const described = this.models.find((model) => model.name === name);
    this.paper.textContent = described ? described.paper : "";
    if (name && name !== this.offered) {
      this.offered = name;
      const settings = await get(`/learning/models/${name}?language=${document.documentElement.lang}`);
      this.inputs = settings.map((setting) => ({ setting, input: this.input(setting) }));
      const shown = (main) => this.inputs.filter(({ setting }) => setting.main === main).map(({ setting, input }) => field(input.id, setting.name, input, setting.about));
      this.main.replaceChildren(...shown(true));
      this.rest.replaceChildren(...shown(false), ...this.lists);
    }
    this.changed();
  }

  input(setting) {
    this.lists = this.lists ?? [];
    const id = `setting-${setting.name}`;
    if (setting.kind === "switch" || setting.kind === "option") {
      return element("select", { id }, element("option", { value: "" }, say("train.default", { value: setting.default })), ...setting.options.map((option) => element("option", { value: option }, option)));
    }
    if (setting.kind === "choice") {
      this.lists.push(element("datalist", { id: `${id}-list` }, ...setting.options.map((option) => element("option", { value: option }))));
      return element("input", { type: "text", id, placeholder: setting.default, autocomplete: "off", "data-list": `${id}-list` });
    }
    return element("input", { type: "text", id, placeholder: setting.default, inputMode: "decimal", autocomplete: "off" });
  }

  get form() {
    const settings = Object.fromEntries((this.inputs ?? []).filter(({ input }) => input.value.trim()).map(({ setting, input }) => [setting.name, input.value.trim().replace(/^(-?\d+),(\d+)$/, "$1.$2")]));
    const seconds = `${Number(this.amount.value)}${this.unit.value}`;
    return { model: this.modelField.value, data: this.dataField.value, budget: seconds, seed: Number(this.seed.value) || 0, settings,
      size: this.sizeField.hidden || !this.size.value ? null : Number(this.size.value), start_from: this.from?.id ?? null };
  }

  changed() {
    clearTimeout(this.timer);
    for (const input of this.node.querySelectorAll("input[data-list]")) input.setAttribute("list", input.dataset.list);
    this.timer = setTimeout(() => this.check(), CALM);
  }

  async check() {
    try {
      const checked = await post("/learning/check", this.form);
      if (checked.command) this.command.textContent = checked.command;
      this.wrong.textContent = checked.wrong;
    } catch (error) {
      this.wrong.textContent = error.message;
    }
  }

  async start() {
    this.button.disabled = true;
    try {
      const run = await post("/learning/runs", this.form);
      tell(say("train.begun"));
      location.hash = `#/train/${run.id}`;
    } catch (error) {
      this.wrong.textContent = error.message;
      throw error;
    } finally {
      this.button.disabled = false;
    }
  }
}

function field(id, name, control, about) {
  const help = about instanceof Node ? about : element("small.soft", { id: `${id}-about` }, about);
  if (!(about instanceof Node) && about) control.setAttribute("aria-describedby", `${id}-about`);
  return element("div.field", {}, element("label", { htmlFor: id }, name), control, about ? help : null);
}
