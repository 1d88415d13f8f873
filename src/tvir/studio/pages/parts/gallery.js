// Gallery: everything that was kept, by favourites and collections; side by side, and out as files.
import { element, icon, tell, trying } from "../dom.js";
import { Listing, memory } from "../memory.js";
import { ask, post } from "../server.js";
import { amount, count, say } from "../words.js";
import { bin, heart, openWork, picture, title } from "./works.js";

const SIDE_BY_SIDE = 8;
const IN_FILES = 500;

class Gallery extends HTMLElement {
  connectedCallback() {
    this.chosen = new Set();
    this.redraw = () => this.draw();
    memory.addEventListener("works", this.redraw);
    this.filters = element("div.row", { role: "group", "aria-label": say("show") });
    this.actions = element("div.row");
    this.list = element("ul.works");
    this.nothing = element("p.empty", {}, say("gallery.empty"));
    this.older = element("button", { type: "button", onclick: trying(() => this.showOlder()) }, say("gallery.older"));
    this.replaceChildren(
      element("div.head", {}, element("h1", {}, say("page.gallery")), element("p", {}, say("gallery.text"))),
      element("div.stack", {}, element("div.row.spread", {}, this.filters, this.newCollection()), this.actions, this.list, this.older, this.nothing));
    this.draw();
  }

  disconnectedCallback() { memory.removeEventListener("works", this.redraw); }

  get shown() { return memory.listed.works; }

  async show(which) {
    const listing = which === "all" ? memory.all : new Listing(which);
    await listing.read();
    memory.listed = listing;
    this.draw();
  }

  async showOlder() {
    const before = this.shown.length;
    await memory.listed.older();
    this.draw();
    this.list.children[before]?.querySelector(".open").focus();
  }

  newCollection() {
    const name = element("input", { type: "text", maxLength: 120, "aria-label": say("collection.name"), placeholder: say("collection.name") });
    return element("form.row", { onsubmit: trying(async (event) => {
      event.preventDefault();
      if (!name.value.trim()) return;
      const collection = await post("/collections", { name: name.value.trim() });
      name.value = "";
      for (const id of this.chosen) await ask("PUT", `/collections/${collection.id}/works/${id}`);
      memory.listed = new Listing(collection.id);
      await memory.readWorks();
      memory.changed("done");
    }) }, name, element("button", { type: "submit" }, say("collection.new")));
  }

  draw() {
    const focus = document.activeElement?.closest?.(".work")?.dataset.work;
    for (const id of this.chosen) if (!memory.work(id)) this.chosen.delete(id);
    const filters = [["all", say("all")], ["favourites", say("favourites")], ...memory.collections.map((collection) => [collection.id, collection.name])];
    if (!filters.some(([id]) => id === memory.listed.which)) memory.listed = memory.all;
    this.filters.replaceChildren(...filters.map(([id, name]) => element("button", { type: "button", "aria-pressed": String(memory.listed.which === id),
      onclick: trying(() => this.show(id)) }, name)));
    this.list.replaceChildren(...this.shown.map((work) => this.card(work)));
    this.nothing.hidden = this.shown.length > 0;
    this.older.hidden = this.shown.length >= memory.listed.total;
    if (focus) this.list.querySelector(`[data-work="${focus}"] .open`)?.focus({ preventScroll: true });
    this.act();
  }

  card(work) {
    const box = element("input", { type: "checkbox", checked: this.chosen.has(work.id), "aria-label": say("choose", { name: title(work) }), onchange: () => {
      this.chosen[box.checked ? "add" : "delete"](work.id);
      box.closest(".work").classList.toggle("chosen", box.checked);
      this.act();
    } });
    return element(`li.work${this.chosen.has(work.id) ? ".chosen" : ""}`, { "data-work": work.id },
      element("button.open", { type: "button", onclick: () => openWork(work), "aria-label": say("open", { name: title(work) }) },
        picture(work)),
      element("div.about", {}, element("b", {}, title(work)), work.note ? work.note.slice(0, 80) : work.run ?? ""),
      element("div.bar", {}, element("label", {}, box), heart(work), bin(work)));
  }

  act() {
    const ids = this.shown.filter((work) => this.chosen.has(work.id)).map((work) => work.id);
    const taken = ids.length ? ids : this.shown.map((work) => work.id);
    const { total, which } = memory.listed;
    const query = taken.slice(0, IN_FILES).map((id) => `work=${id}`).join("&");
    const collection = memory.collections.find((candidate) => candidate.id === which);
    const file = (path, text) => element("a.button", { href: `/api/export/${path}?${query}`, download: "" }, icon("down"), text);
    this.actions.hidden = !this.shown.length && !collection;
    this.actions.replaceChildren(...[
      element("span.soft", { role: "status" }, ids.length ? count("chosen", ids.length) : count("works", total),
        this.shown.length < total && !ids.length ? ` · ${say("gallery.shown", { n: amount(this.shown.length) })}` : "",
        taken.length > IN_FILES ? ` · ${say("gallery.files", { n: IN_FILES })}` : ""),
      element("button", { type: "button", disabled: ids.length < 2 || ids.length > SIDE_BY_SIDE, onclick: () => this.compare(ids) }, say("side-by-side")),
      ...(this.shown.length ? [file("works.zip", "ZIP"), file("contact-sheet.png", say("contact-sheet"))] : []),
      ...(collection && ids.length ? [element("button", { type: "button", onclick: trying(() => this.takeOut(ids)) }, say("take-out"))] : []),
      ...(!collection && ids.length ? this.putIn(ids) : []),
      ...(collection ? [element("button", { type: "button", onclick: trying(async () => {
        await ask("DELETE", `/collections/${collection.id}`);
        tell(say("collection.removed"));
        await memory.readWorks();
        memory.changed("done");
      }) }, say("collection.remove"))] : []),
    ]);
  }

  putIn(ids) {
    if (!memory.collections.length) return [];
    const choice = element("select", { "aria-label": say("put-in"), onchange: trying(async () => {
      for (const id of ids) await ask("PUT", `/collections/${choice.value}/works/${id}`);
      tell(say("put-in.done"));
      await memory.readWorks();
      memory.changed("done");
    }) }, element("option", { value: "" }, say("put-in")), ...memory.collections.map((collection) => element("option", { value: collection.id }, collection.name)));
    return [choice];
  }

  async takeOut(ids) {
    for (const id of ids) await ask("DELETE", `/collections/${memory.listed.which}/works/${id}`);
    await memory.readWorks();
    memory.changed("done");
  }

  compare(ids) {
    const dialog = element("dialog", { "aria-label": say("side-by-side"), onclose: () => dialog.remove() },
      element("h2", {}, say("side-by-side")),
      element("div.side", {}, ...ids.map((id) => memory.work(id)).map((work) => element("figure.stack", {}, picture(work),
        element("figcaption", {}, element("b", {}, title(work)), work.note ? element("p.soft", {}, work.note) : null)))),
      element("button", { type: "button", onclick: () => dialog.close() }, say("close")));
    document.body.append(dialog);
    dialog.showModal();
  }
}

customElements.define("tvir-gallery", Gallery);
