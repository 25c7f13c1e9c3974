// Texts of models and documents: what is shown of them, what is marked in them, and where two differ.
"use strict";

const SHOWN = 1500; // characters of a text that are shown before one asks for all
const CELLS = 3e6; // of the table that finds differences: beyond it a text is shown without marks
const ALIKE = 0.1; // less of a text than that in common, and marks would cover all of it

// Controls that change how text runs or cannot be seen at all, but for line break and tab.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
// A Chinese character, a word or number, a run of spaces, any other sign.
const TOKEN = /\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}])+|\s+|[^]/gu;

/** Text as nodes, what cannot be seen made visible: U+202E. */
function plain(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(UNSEEN)) {
    const name = "U+" + match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    nodes.push(text.slice(at, match.index), h("span", {class: "unseen-sign"}, name));
    at = match.index + 1;
  }
  nodes.push(text.slice(at));
  return nodes.filter(node => node !== "");
}

/** `marks`: {start, end, class, title}, which may overlap; where end equals start, `gone` is a text that is missing there. */
function marked(text, marks, end = text.length) {
  const inside = marks.filter(mark => mark.start < mark.end && mark.start < end);
  const gone = marks.filter(mark => mark.gone !== undefined && mark.start <= end);
  const cuts = new Set([0, end]);
  for (const mark of inside) { cuts.add(Math.max(0, mark.start)); cuts.add(Math.min(mark.end, end)); }
  for (const mark of gone) cuts.add(mark.start);
  const places = [...cuts].sort((a, b) => a - b);
  const nodes = [];
  places.forEach((from, i) => {
    for (const mark of gone) if (mark.start === from) nodes.push(h("del", {}, plain(mark.gone)), " ");
    if (i + 1 === places.length) return;
    const to = places[i + 1];
    const on = inside.filter(mark => mark.start <= from && mark.end >= to);
    const piece = plain(text.slice(from, to));
    nodes.push(on.length ? h("mark", {class: on.map(mark => mark.class).join(" "), title: on.find(mark => mark.title)?.title}, piece) : piece);
  });
  return nodes.flat();
}

/** A paragraph of text; a long one is shown to its beginning, with a button for the rest. */
function passage(text, lang, marks = []) {
  const paragraph = h("p", {class: "text", lang: tag(lang), dir: "auto"});
  if (!text) return fill(paragraph, {}, [h("span", {class: "soft"}, t("no output"))]);
  if (text.length <= SHOWN * 1.2) return fill(paragraph, {}, marked(text, marks));
  const end = SHOWN - (/[\ud800-\udbff]/.test(text[SHOWN - 1]) ? 1 : 0); // never half a character
  const all = h("button", {type: "button", class: "more", onclick: () => { paragraph.replaceChildren(...marked(text, marks)); paragraph.focus(); }},
    t("show all", {n: text.length.toLocaleString("en")}));
  paragraph.tabIndex = -1;
  return fill(paragraph, {}, [marked(text, marks, end), "… ", all]);
}

function tokens(text) {
  return Array.from(text.matchAll(TOKEN), match => ({text: match[0], start: match.index, end: match.index + match[0].length}))
    .filter(token => token.text.trim());
}

/** Where `text` differs from `other`, by words, in Chinese by characters: {marks, alike}; `alike` is the share of `text` that
 *  both have (longest common subsequence). null where that would cost too much. */
function differences(other, text) {
  if (other.length + text.length > 200000) return null; // so many need not even be counted
  const [a, b] = [tokens(other), tokens(text)];
  let head = 0, tail = 0;
  while (head < a.length && head < b.length && a[head].text === b[head].text) head++;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail].text === b[b.length - 1 - tail].text) tail++;
  const [rows, columns] = [a.length - head - tail, b.length - head - tail];
  if (rows * columns > CELLS) return null;

  // longest[i][j]: of what follows the i-th token of `a` and the j-th of `b`.
  const width = columns + 1;
  const longest = new Uint16Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--)
    for (let j = columns - 1; j >= 0; j--)
      longest[i * width + j] = a[head + i].text === b[head + j].text ? longest[(i + 1) * width + j + 1] + 1
        : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);

  const added = [], gone = [];
  let i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[head + i].text === b[head + j].text) { i++; j++; }
    else if (j >= columns || (i < rows && longest[(i + 1) * width + j] >= longest[i * width + j + 1]))
      gone.push({at: head + j < b.length ? b[head + j].start : text.length, token: a[head + i++]});
    else added.push(b[head + j++]);
  }
  return {
    marks: [...joined(added, text), ...missing(gone, other)],
    alike: b.length ? 1 - added.length / b.length : 1,
  };
}

/** Neighbours become one mark, with the space between them. */
function joined(added, text) {
  const marks = [];
  for (const {start, end} of added) {
    const last = marks.at(-1);
    if (last && !text.slice(last.end, start).trim()) last.end = end;
    else marks.push({start, end, class: "added"});
  }
  return marks;
}

function missing(gone, other) {
  const marks = [];
  let until = -1;
  for (const {at, token} of gone) {
    const last = marks.at(-1);
    if (last && last.start === at && !other.slice(until, token.start).trim()) last.gone += other.slice(until, token.end);
    else marks.push({start: at, end: at, gone: token.text});
    until = token.end;
  }
  return marks;
}

/** Every place where one of `forms` stands, in any case; the longest first, none inside another. English ones are whole words. */
function occurrences(text, forms, lang, mark) {
  const escaped = [...new Set(forms)].sort((a, b) => b.length - a.length).map(form => form.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  if (!escaped.length) return [];
  const edge = lang === "en" ? ["(?<![\\p{L}\\p{N}])", "(?![\\p{L}\\p{N}])"] : ["", ""];
  const pattern = new RegExp(`${edge[0]}(?:${escaped.join("|")})${edge[1]}`, "giu");
  return Array.from(text.matchAll(pattern), match => ({start: match.index, end: match.index + match[0].length, ...mark}));
}
