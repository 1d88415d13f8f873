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

// A number as people read it: three digits that count, no more.
export function amount(value) {
  const size = Math.abs(value);
  if (value !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(1);
  return value.toLocaleString(language, size >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}

// About how long, in the unit that fits.
export function duration(seconds) {
  if (seconds < 90) return count("seconds", Math.max(1, Math.round(seconds)));
  if (seconds < 90 * 60) return count("minutes", Math.round(seconds / 60));
  return count("hours", Math.round(seconds / 3600));
}

export function date(text) {
  return new Date(text).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}
