// Building elements, and saying something to the person.
import { knows, say } from "./words.js";

// element("button.main", { onclick }, "text", child): no markup is ever parsed, so no text can become markup.
export function element(selector, settings = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const made = document.createElement(tag || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(settings)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && !name.startsWith("aria")) made[name] = value;
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const SHAPES = {
  heart: "M12 20s-7-4.6-9-9a5 5 0 0 1 9-4 5 5 0 0 1 9 4c-2 4.4-9 9-9 9z",
  bin: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  down: "M12 4v11m-5-5 5 5 5-5M4 20h16",
  back: "M8 5 3 10l5 5M3 10h11a6 6 0 0 1 0 12h-4",
  dice: "M5 5h14v14H5zM9 9h.01M15 15h.01M12 12h.01M15 9h.01M9 15h.01",
};

export function icon(name) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[name]);
  made.append(path);
  return made;
}

let silence = 0;

export function tell(text, bad = false) {
  const place = document.getElementById("told");
  place.textContent = text;
  place.classList.toggle("bad", bad);
  clearTimeout(silence);
  silence = setTimeout(() => { place.textContent = ""; }, bad ? 8000 : 3500);
}

export function complain(error) {
  const key = `refusal.${error.code}`;
  tell(knows(key) ? say(key) : say("refusal.failed", { why: error.message }), true);
}

// Runs something that may be refused, and says so if it is.
export function trying(action) {
  return async (...given) => {
    try {
      return await action(...given);
    } catch (error) {
      complain(error);
      return undefined;
    }
  };
}

// Follows a finger or a mouse over an element: told the place in it, 0 to 1 each way.
export function dragging(target, { begin = () => {}, move, end = () => {} }) {
  const place = (event) => {
    const box = target.getBoundingClientRect();
    const inside = (value) => Math.min(1, Math.max(0, value));
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  };
  let held = false;
  target.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    held = true;
    target.setPointerCapture(event.pointerId);
    begin(place(event), event);
    move(place(event), event);
  });
  target.addEventListener("pointermove", (event) => { if (held) move(place(event), event); });
  for (const name of ["pointerup", "pointercancel"]) {
    target.addEventListener(name, (event) => { if (held) { held = false; end(place(event), event); } });
  }
}
