// The reader's choice of language and colours. Applied before anything is drawn, so that nothing flashes.
"use strict";

const choices = (() => {
  try { return JSON.parse(localStorage.getItem("bitext-bench")) || {}; } catch { return {}; }
})();

function choose(name, value) {
  choices[name] = value;
  try { localStorage.setItem("bitext-bench", JSON.stringify(choices)); } catch { /* storage is blocked: the choice lasts for this visit */ }
  applyChoices();
}

const language = () => ["zh", "en"].includes(choices.language) ? choices.language
  : navigator.language.startsWith("zh") ? "zh" : "en";
const dark = () => choices.theme ? choices.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

function applyChoices() {
  document.documentElement.lang = languageTag(language());
  if (choices.theme) document.documentElement.dataset.theme = dark() ? "dark" : "light";
}
applyChoices();
