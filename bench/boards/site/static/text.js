// Texts of models and documents: how much of them is shown, and what is marked in them.
"use strict";

const PREVIEW = 1500; // characters of a longer text that are shown first

// Control characters that are invisible or change the direction of text, except line break and tab.
const INVISIBLE = new RegExp("[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u180e\\u200b-\\u200f\\u2028-\\u202e" +
  "\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb\\u{e0000}-\\u{e00ff}]", "gu");
const codePoint = character => "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

/** Text with the numbers of invisible characters in their place, for a name or a title: U+202E. */
const visible = text => text.replace(INVISIBLE, codePoint);

/** Text as nodes; the numbers of invisible characters stand out. */
function plain(text) {
  const nodes = [];
  let position = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    nodes.push(text.slice(position, match.index), h("span", {class: "invisible"}, codePoint(match[0])));
    position = match.index + match[0].length;
  }
  nodes.push(text.slice(position));
  return nodes.filter(node => node !== "");
}

/** Text as nodes with marks: {start, end, class, title}, which may overlap, or {start, missing}, a text to insert there. */
function marked(text, marks, end = text.length) {
  const ranges = marks.filter(mark => mark.missing === undefined && mark.start < end);
  const insertions = marks.filter(mark => mark.missing !== undefined && mark.start <= end);
  const offsets = new Set([0, end]);
  for (const range of ranges) { offsets.add(Math.max(0, range.start)); offsets.add(Math.min(range.end, end)); }
  for (const insertion of insertions) offsets.add(insertion.start);
  const cuts = [...offsets].sort((a, b) => a - b);
  // From the left to the right: a long text may have as many marks as words.
  const [waiting, inserted] = [ranges, insertions].map(marks => marks.toSorted((a, b) => a.start - b.start).reverse());
  const nodes = [];
  let covering = [];
  cuts.forEach((start, i) => {
    for (; inserted.at(-1)?.start <= start; inserted.pop()) nodes.push(h("del", {}, plain(inserted.at(-1).missing)), " ");
    if (i + 1 === cuts.length) return;
    const stop = cuts[i + 1];
    while (waiting.at(-1)?.start <= start) covering.push(waiting.pop());
    covering = covering.filter(range => range.end > start);
    const piece = plain(text.slice(start, stop));
    nodes.push(covering.length
      ? h("mark", {class: covering.map(range => range.class).join(" "), title: covering.find(range => range.title)?.title}, piece)
      : piece);
  });
  return nodes.flat();
}

/** A paragraph of text; of a long one the beginning is shown, with a button for the rest. */
function passage(text, lang, marks = []) {
  const paragraph = h("p", {class: "text", lang: languageTag(lang), dir: "auto"});
  if (!text) return fill(paragraph, {}, [h("span", {class: "soft"}, t("no output"))]);
  if (text.length <= PREVIEW * 1.2) return fill(paragraph, {}, marked(text, marks));
  const end = PREVIEW - (/[\ud800-\udbff]/.test(text[PREVIEW - 1]) ? 1 : 0); // never half a character
  const showAll = h("button", {type: "button", class: "more", onclick: () => { paragraph.replaceChildren(...marked(text, marks)); paragraph.focus(); }},
    t("show all", {n: text.length.toLocaleString("en")}));
  paragraph.tabIndex = -1;
  return fill(paragraph, {}, [marked(text, marks, end), "… ", showAll]);
}

/** Marks of all occurrences of `forms`, ignoring case; the longest form wins, without overlap. English forms match whole words. */
function occurrences(text, forms, lang, mark) {
  const escaped = [...new Set(forms)].sort((a, b) => b.length - a.length).map(form => form.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  if (!escaped.length) return [];
  const edge = lang === "en" ? ["(?<![\\p{L}\\p{N}])", "(?![\\p{L}\\p{N}])"] : ["", ""];
  const pattern = new RegExp(`${edge[0]}(?:${escaped.join("|")})${edge[1]}`, "giu");
  return Array.from(text.matchAll(pattern), match => ({start: match.index, end: match.index + match[0].length, ...mark}));
}
