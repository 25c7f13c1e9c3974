// What a reader takes along: the data behind a view, its address, and the foot of the page.
"use strict";

const csvCell = value => {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? "'" + text : text; // a spreadsheet would run it as a formula
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const csv = rows => rows.map(row => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
const jsonLines = rows => rows.map(row => JSON.stringify(row)).join("\n") + "\n";

/** A button that saves what `content()` returns, or promises, as a file. */
function saveButton(label, name, content) {
  return h("button", {type: "button", class: "save", onclick: async () => {
    const address = URL.createObjectURL(new Blob([await content()], {type: "text/plain;charset=utf-8"}));
    h("a", {href: address, download: `${site().id}.${name}`}).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }}, label);
}

/** Copies a text; where the browser forbids it, the text is shown to be copied by hand. */
function copyButton(label, text) {
  return h("button", {type: "button", class: "copy", onclick: async () => {
    try {
      await navigator.clipboard.writeText(text());
      announce(t("copied text"));
    } catch { prompt(label, text()); }
  }}, label);
}

/** Whether the page has files beside it: one that was made to be mailed has none. */
const isFolder = () => document.querySelector('script[src="app.js"]') !== null;

function drawFoot() {
  const about = site();
  const files = ["leaderboard.csv", "leaderboard.json", "leaderboard.md"];
  const contact = /^(https:\/\/|mailto:)/.test(about.head.contact) && about.head.contact;
  const cite = t("citation", {title: visible(about.title), version: about.version, sha: about.sha256.slice(0, 12), date: about.finished});
  document.getElementById("foot").replaceChildren(
    h("p", {}, isFolder() && [t("data"), " ", files.map((name, i) => [i > 0 && t("list separator"), h("a", {href: `../${name}`}, name)]), t("stop"), " "],
      t("text licence", {licence: visible(about.licence || "–")}), " ",
      t("made with", {version: about.version, date: about.finished || "–", sha: about.sha256.slice(0, 12)})),
    h("p", {}, t("how to cite"), " ", h("span", {class: "citation"}, cite), " ", copyButton(t("copy"), () => cite)),
    h("p", {}, t("how to submit"), " ", h("code", {}, `bench score NAME=FILE --reference ${about.id}`), t("clause separator"),
      t("send the run"), " ", h("code", {}, `runs/${about.id}/`), " ",
      contact ? [t("to"), " ", h("a", {href: contact}, contact.replace(/^mailto:/, ""))] : t("to the publisher"), t("clause separator"),
      t("added by"), " ", h("code", {}, "bench publish"), t("stop"), " ",
      t("how to check"), " ", h("code", {}, "bench verify"), t("stop")));
}
