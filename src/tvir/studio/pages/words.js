// The words of the page, one JSON file per language.

let words = {};
let language = "en";

export const LANGUAGES = ["en", "uk"];

export async function speak(wanted) {
  language = LANGUAGES.includes(wanted) ? wanted : "en";
  const answer = await fetch(`/pages/words/${language}.json`);
  words = await answer.json();
  document.documentElement.lang = language;
  try { localStorage.setItem("language", language); } catch { /* private windows */ }
}

export function preferred() {
  let kept = null;
  try { kept = localStorage.getItem("language"); } catch { /* private windows */ }
  return kept ?? (navigator.languages.some((tag) => tag.toLowerCase().startsWith("uk")) ? "uk" : "en");
}

export function say(key, values = {}) {
  const phrase = words[key] ?? key;
  return phrase.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// A phrase with a number, in the plural form that the language asks for.
export function count(key, number) {
  const form = new Intl.PluralRules(language).select(number);
  return say(words[`${key}.${form}`] ? `${key}.${form}` : `${key}.other`, { n: number.toLocaleString(language) });
}

// A number with one decimal, in the signs of the language.
export function number(value) {
  return value.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "negative" });
}

export function knows(key) { return key in words; }

export function date(text) {
  return new Date(text).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}
