// The frame around the pages: which there are, moving between them, undo and redo, language and run.
import { complain, element, tell, trying } from "./dom.js";
import { memory } from "./memory.js";
import { get, post } from "./server.js";
import { knows, LANGUAGES, preferred, say, speak } from "./words.js";
import "./parts/blend.js";
import { acceptDrops } from "./parts/bringing.js";
import "./parts/evolve.js";
import "./parts/explore.js";
import "./parts/family.js";
import "./parts/gallery.js";
import "./parts/mine.js";
import "./parts/train.js";
import "./parts/welcome.js";
import "./parts/write.js";

// A page is a custom element tvir-NAME; adding one is a line here, an import above, and its words.
const PAGES = ["explore", "blend", "evolve", "mine", "write", "train", "gallery", "family"];
const WITHOUT_RUN = ["gallery", "family", "train", "write"];

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const runs = document.getElementById("runs");
const language = document.getElementById("language");

function wanted() {
  const name = location.hash.slice(2).split("/")[0];
  return PAGES.includes(name) ? name : PAGES[0];
}

function show() {
  const name = memory.run || WITHOUT_RUN.includes(wanted()) ? wanted() : "welcome";
  for (const link of nav.children) link.toggleAttribute("aria-current", link.dataset.page === wanted());
  for (const link of nav.querySelectorAll("[aria-current]")) link.setAttribute("aria-current", "page");
  document.title = `${say(`page.${name}`)} · tvir studio`;
  main.replaceChildren(document.createElement(`tvir-${name}`));
}

function dress() {
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = say(place.dataset.say);
  nav.setAttribute("aria-label", say("pages"));
  nav.replaceChildren(...PAGES.map((name) => element("a", { href: `#/${name}`, "data-page": name }, say(`page.${name}`))));
  runs.replaceChildren(...memory.everyRun.map((run) => element("option", { value: run.id, disabled: run.kind !== "image" },
    run.kind === "image" ? `${run.name} · ${run.model}` : say("run.no-pictures", { name: run.name }))));
  runs.parentElement.hidden = memory.everyRun.length === 0;
  if (memory.run) runs.value = memory.run.id;
  language.value = document.documentElement.lang;
  remember();
}

async function remember() {
  const done = await get("/done");
  for (const turn of ["undo", "redo"]) {
    const button = document.getElementById(turn);
    const what = done[turn];
    button.disabled = what === null;
    const label = what && knows(`did.${what}`) ? say(`${turn}.what`, { what: say(`did.${what}`) }) : say(turn);
    button.setAttribute("aria-label", label);
    button.title = label;
  }
}

const turn = (name) => trying(async () => {
  const done = await post(`/${name}`);
  await memory.readWorks();
  memory.charts.clear();
  memory.changed("turned");
  if (done.turned === "name-direction") show();
  await remember();
  tell(say(`${name}.done`, { what: say(`did.${done.turned}`) }));
});

document.getElementById("undo").addEventListener("click", turn("undo"));
document.getElementById("redo").addEventListener("click", turn("redo"));
document.addEventListener("keydown", (event) => {
  const writes = event.target.matches("input[type=text], textarea, select");
  if (writes || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
  event.preventDefault();
  turn(event.shiftKey ? "redo" : "undo")();
});
language.addEventListener("change", trying(async () => {
  await speak(LANGUAGES.find((code) => code === language.value));
  dress();
  show();
}));
runs.addEventListener("change", () => memory.choose(runs.value));
memory.addEventListener("run", () => { if (memory.run) runs.value = memory.run.id; show(); });
memory.addEventListener("done", trying(remember));
window.addEventListener("hashchange", () => { show(); main.focus({ preventScroll: true }); window.scrollTo(0, 0); });

acceptDrops();
window.addEventListener("focus", () => { memory.readWorks().catch(() => {}); });   // others keep works too
const reading = Promise.allSettled([memory.readRuns(), memory.readWorks()]);
await speak(preferred()).catch(complain);
for (const { reason } of await reading) if (reason) complain(reason);
memory.addEventListener("runs", dress);   // not before there are words
dress();
show();
