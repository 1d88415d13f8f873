// Pictures to learn from: sets are begun, filled by dropping, choosing or pasting files, and thinned out.
import { complain, element, tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { ask, get, post, upload } from "../server.js";
import { count, say } from "../words.js";
import { wish } from "./trainform.js";

const SHOWN = 400;   // thumbnails at once

export class ImageSets {
  constructor(place, chosen) {
    this.place = place;
    this.chosen = chosen;
    this.marked = new Set();
    this.pasted = (event) => { if (this.set && event.clipboardData.files.length) this.add([...event.clipboardData.files]); };
    this.again = trying(() => this.read());
    document.addEventListener("paste", this.pasted);
    memory.addEventListener("turned", this.again);
    this.again();
  }

  close() {
    document.removeEventListener("paste", this.pasted);
    memory.removeEventListener("turned", this.again);
  }

  async read() {
    this.sets = await get("/images");
    this.set = this.sets.find((set) => set.id === this.chosen) ?? this.sets[0] ?? null;
    this.draw();
  }

  draw() {
    const name = element("input", { type: "text", maxLength: 120, "aria-label": say("images.name"), placeholder: say("images.name") });
    const begin = element("form.row", { onsubmit: trying(async (event) => {
      event.preventDefault();
      if (!name.value.trim()) return;
      const set = await post("/images", { name: name.value.trim() });
      memory.changed("done");
      location.hash = `#/train/pictures/${set.id}`;
    }) }, name, element("button", { type: "submit" }, say("images.begin")));
    const list = element("ul.runs", { "aria-label": say("train.pictures") }, ...this.sets.map((set) => element("li", {},
      element("a", { href: `#/train/pictures/${set.id}`, "aria-current": set.id === this.set?.id ? "true" : null }, element("b", {}, set.name), element("small.soft", {}, count("images", set.pictures.length))))));
    this.place.replaceChildren(element("div.columns", {},
      element("section.card.stack", {}, element("p.soft", {}, say("images.text")), begin, this.sets.length ? list : null),
      this.set ? this.shown() : element("p.empty", {}, say("images.none"))));
  }

  shown() {
    const { set } = this;
    const chosen = element("input", { type: "file", id: "images-files", accept: "image/*", multiple: true, hidden: true, onchange: () => this.add([...chosen.files]) });
    const drop = element("div.drop", {
      ondragover: (event) => { event.preventDefault(); drop.classList.add("over"); },
      ondragleave: () => drop.classList.remove("over"),
      ondrop: (event) => { event.preventDefault(); drop.classList.remove("over"); this.add([...event.dataTransfer.files]); },
    }, element("p", {}, say("images.drop")), chosen, element("button", { type: "button", onclick: () => chosen.click() }, say("images.choose")));
    this.bar = element("progress", { max: 1, value: 0, hidden: true, "aria-label": say("images.sending") });
    this.told = this.told ?? element("p.soft", { role: "status" });
    this.actions = element("div.row");
    this.thumbs = element("ul.thumbs");
    const node = element("section.card.stack", { "aria-label": set.name },
      element("div.row.spread", {}, element("h2", {}, set.name), element("button", { type: "button", onclick: trying(() => this.removeSet()) }, say("images.remove-set"))),
      drop, this.bar, this.told, this.actions, this.thumbs);
    this.fill();
    return node;
  }

  fill() {
    const { set } = this;
    for (const address of this.marked) if (!set.pictures.some((picture) => picture.address === address)) this.marked.delete(address);
    this.thumbs.replaceChildren(...set.pictures.slice(0, SHOWN).map((picture) => {
      const box = element("input", { type: "checkbox", checked: this.marked.has(picture.address), "aria-label": say("choose", { name: picture.name }), onchange: () => {
        this.marked[box.checked ? "add" : "delete"](picture.address);
        this.act();
      } });
      return element("li", {}, element("label", {}, box, element("img", { src: `/api/images/pictures/${picture.address}`, alt: "", loading: "lazy", width: 112, height: 112 }), picture.name));
    }));
    this.act();
  }

  act() {
    const ids = [...this.marked];
    const empty = this.set.pictures.length === 0;
    const go = (startFrom) => { Object.assign(wish, { data: `images:${this.set.id}`, startFrom }); location.hash = "#/train/new"; };
    const runs = memory.everyRun.filter((run) => run.kind === "image");
    const tune = element("select", { "aria-label": say("images.fine-tune"), disabled: empty || !runs.length, onchange: () => { if (tune.value) go(tune.value); } },
      element("option", { value: "" }, say("images.fine-tune")), ...runs.map((run) => element("option", { value: run.id }, run.name)));
    this.actions.replaceChildren(
      element("span.soft", {}, ids.length ? count("chosen", ids.length) : count("images", this.set.pictures.length)),
      element("button", { type: "button", disabled: !ids.length, onclick: trying(() => this.takeOut(ids)) }, say("images.take-out")),
      element("button.main", { type: "button", disabled: empty, onclick: () => go(null) }, say("images.train")), tune);
  }

  // One after the other: each is answered before the next is sent.
  async add(files) {
    const { set } = this;
    let added = 0;
    const known = [], refused = [];
    this.bar.hidden = false;
    for (const [index, file] of files.entries()) {
      this.bar.value = index / files.length;
      try {
        const answer = await upload(`/images/${set.id}/pictures?name=${encodeURIComponent(file.name.slice(0, 255))}`, file);
        if (answer.known_as === null) added += 1;
        else known.push(say("images.same", { name: file.name, known: answer.known_as }));
      } catch (error) {
        if (error.code === "gone") { complain(error); break; }
        refused.push(say("images.refused", { name: file.name, why: error.message }));
      }
    }
    this.bar.hidden = true;
    this.told.replaceChildren(count("images.added", added), ...[...known, ...refused].flatMap((text) => [element("br"), text]));
    memory.changed("done");
    await this.again();
  }

  async takeOut(addresses) {
    this.set = await post(`/images/${this.set.id}/taken-out`, { addresses });
    this.marked.clear();
    this.told.replaceChildren();
    tell(say("removed"));
    memory.changed("done");
    await this.again();
  }

  async removeSet() {
    await ask("DELETE", `/images/${this.set.id}`);
    tell(say("removed"));
    memory.changed("done");
    this.chosen = "";
    await this.again();
  }
}
