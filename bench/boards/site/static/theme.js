// What a reader chose: language and colours. Drawn before anything else, so that nothing flashes.
"use strict";

const chosen = (() => {
  try { return JSON.parse(localStorage.getItem("bitext-bench")) || {}; } catch { return {}; }
})();

function choose(name, value) {
  chosen[name] = value;
  try { localStorage.setItem("bitext-bench", JSON.stringify(chosen)); } catch { /* not allowed here: for this visit only */ }
  dress();
}

const language = () => ["zh", "en"].includes(chosen.language) ? chosen.language
  : navigator.language.startsWith("zh") ? "zh" : "en";
const dark = () => chosen.theme ? chosen.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

function dress() {
  document.documentElement.lang = tag(language());
  if (chosen.theme) document.documentElement.dataset.theme = dark() ? "dark" : "light";
}
dress();
