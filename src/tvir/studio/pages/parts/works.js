// Works as cards, and one of them looked at closely. Used by the gallery and wherever works are chosen.
import { element, icon, tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { ask } from "../server.js";
import { date, say } from "../words.js";
import { goOnFrom } from "./write.js";

export function picture(work) {
  if (work.kind === "text") return element("p.said", {}, work.text);
  return element(`img.picture${work.width < 128 ? ".pixels" : ""}`, { src: `/api/works/${work.id}/picture`, alt: title(work),
    width: work.width, height: work.height, loading: "lazy", draggable: false });
}

export function title(work) {
  return work.name || [say(`origin.${work.origin}`), work.condition_name].filter(Boolean).join(" · ");
}

export async function change(work, said) {
  Object.assign(work, await ask("PATCH", `/works/${work.id}`, said));
  await memory.readWorks();
  memory.changed("done");
}

export function heart(work) {
  return element("button", { type: "button", "aria-pressed": String(work.favourite), "aria-label": say("favourite"), title: say("favourite"),
    onclick: trying(() => change(work, { favourite: !work.favourite })) }, icon("heart"));
}

export function bin(work) {
  return element("button", { type: "button", "aria-label": say("remove"), title: say("remove"),
    onclick: trying(async () => { await change(work, { kept: false }); tell(say("removed")); }) }, icon("bin"));
}

// A dialog about one work: everything known of it, name and note, and what to go on with.
export function openWork(work) {
  const name = element("input", { type: "text", id: "work-name", value: work.name, maxLength: 120,
    onchange: trying(() => change(work, { name: name.value })) });
  const note = element("textarea", { id: "work-note", value: work.note, maxLength: 4000,
    onchange: trying(() => change(work, { note: note.value })) });
  const facts = [
    [say("fact.origin"), say(`origin.${work.origin}`)],
    [say("fact.made"), date(work.made)],
    work.model && [say("fact.model"), `${work.run} (${work.model})`],
    work.weights && [say("fact.weights"), work.weights.slice(0, 16)],
    work.condition_name && [say("class"), work.condition_name],
    work.seed !== null && [say("seed"), String(work.seed)],
    work.kind === "picture" && [say("fact.size"), `${work.width} × ${work.height}`],
    ...Object.entries(work.settings).map(([key, value]) => [say(`setting.${key}`), String(value)]),
  ].filter(Boolean);
  const dialog = element("dialog", { "aria-label": title(work), onclose: () => dialog.remove() },
    element("div.columns", {},
      element("div", {}, picture(work)),
      element("div.stack", {},
        element("div", {}, element("label", { htmlFor: "work-name" }, say("name")), element("div", {}, name)),
        element("div", {}, element("label", { htmlFor: "work-note" }, say("note")), note),
        element("dl.facts", {}, ...facts.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)])),
        collecting(work),
        work.alive ? null : element("p.soft", {}, say(work.weights ? "not-alive" : "own-picture")),
        element("div.row", {},
          work.alive ? element("button.main", { type: "button", onclick: trying(async () => { dialog.close(); await (work.kind === "text" ? goOnFrom(work) : memory.goTo(work)); }) }, say("go-on")) : null,
          work.kind === "picture" ? element("a.button", { href: `/api/works/${work.id}/png`, download: "" }, icon("down"), "PNG") : null,
          element("button", { type: "button", onclick: () => dialog.close() }, say("close"))))));
  document.body.append(dialog);
  dialog.showModal();
}

function collecting(work) {
  if (!memory.collections.length) return null;
  return element("fieldset", {}, element("legend", {}, say("collections")), ...memory.collections.map((collection) => {
    const box = element("input", { type: "checkbox", checked: work.collections.includes(collection.id), onchange: trying(async () => {
      await ask(box.checked ? "PUT" : "DELETE", `/collections/${collection.id}/works/${work.id}`);
      await memory.readWorks();
      memory.changed("done");
    }) });
    return element("label.row", {}, box, collection.name);
  }));
}

// A strip of works to choose from; a pressed button is a chosen one.
export function strip(works, { chosen, pick, empty }) {
  if (!works.length) return element("p.empty", {}, empty);
  return element("ul.strip", {}, ...works.map((work) => element("li", {}, element("button", {
    type: "button", "aria-pressed": String(chosen.includes(work.id)), "aria-label": title(work), title: title(work), onclick: () => pick(work),
  }, picture(work)))));
}
