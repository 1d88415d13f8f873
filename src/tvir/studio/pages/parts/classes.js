// Buttons for the classes that a run can be asked for: [class or null, its name] each, one of them pressed.
import { element } from "../dom.js";
import { say } from "../words.js";

// The classes of a run; before them, where `none` says how, that none of them is asked for.
export const classesOf = (run, none = "") => [...(none && run.classes.length ? [[null, none]] : []), ...run.classes.map((name, index) => [index, name])];

export function classButtons(choices, chosen, choose) {
  const buttons = choices.map(([condition, name]) => element("button", {
    type: "button", "aria-pressed": String(condition === chosen),
    onclick: () => {
      buttons.forEach((button, other) => button.setAttribute("aria-pressed", String(choices[other][0] === condition)));
      choose(condition);
    },
  }, name));
  return buttons.length ? element("div.classes", { role: "group", "aria-label": say("class") }, ...buttons) : null;
}
