// Elements, data and the address: what all views use. All files share one scope, in the order of index.html.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const SHOWN = new Set(["title", "aria-label", "data-head"]); // attributes that a reader sees

/** An element. Strings among `children` become text, never markup, with invisible characters shown by their number; null
 *  and false are left out. `onclick` and its like are listeners, everything else an attribute. */
function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : SHOWN.has(name) ? visible(String(value)) : String(value));
  }
  for (const child of children.flat(9))
    if (child !== null && child !== undefined && child !== false) element.append(child instanceof Node ? child : visible(String(child)));
  return element;
}

/** Announces a text to screen readers. */
function announce(text) { document.getElementById("announcement").textContent = text; }

// --- data: each file calls `data`. A page that was opened from a file may load scripts, but not read files ---------------------

const dataValues = new Map(); // name -> value
const dataRequests = new Map(); // name -> promise

function data(name, value) { dataValues.set(name, bare(value)); }

/** The value, with objects that inherit nothing: a metric may be called "constructor". */
function bare(value) {
  if (value === null || typeof value !== "object") return value;
  for (const child of Array.isArray(value) ? value : Object.values(value)) bare(child);
  return Array.isArray(value) ? value : Object.setPrototypeOf(value, null);
}

function load(name) {
  if (dataValues.has(name)) return Promise.resolve(dataValues.get(name)); // a page that is one file has all of them
  if (!dataRequests.has(name)) dataRequests.set(name, new Promise((resolve, reject) => {
    const script = h("script", {
      src: "data/" + name.split("/").map(encodeURIComponent).join("/") + ".js",
      onload: () => { script.remove(); resolve(dataValues.get(name)); },
      onerror: () => { script.remove(); dataRequests.delete(name); reject(new Error(t("no data", {name}))); },
    });
    document.head.append(script);
  }));
  return dataRequests.get(name);
}

/** The name of the words that say which values of a metric are better. */
const better = metric => metric.best !== null ? "nearest" : metric.higher_is_better ? "higher" : "lower";

const site = () => dataValues.get("site");

// --- the address: #/zh-en/segments/ID?sort=… ---------------------------------------------------------------------------

function address() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(part => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  return {parts, query: new URLSearchParams(query)};
}

/** The address of a view; empty settings are left out. */
function link(parts, settings = {}) {
  const query = new URLSearchParams(Object.entries(settings).filter(([, value]) => value));
  return "#/" + parts.map(encodeURIComponent).join("/") + (query.size ? "?" + query : "");
}

let ownAddress = ""; // the address that a view wrote itself: it needs no drawing

/** Keeps a view's settings in its address, so that it can be shared and the Back button restores it. */
function remember(settings) {
  const {parts, query} = address();
  for (const [name, value] of Object.entries(settings)) value ? query.set(name, value) : query.delete(name);
  ownAddress = link(parts, Object.fromEntries(query));
  if (location.hash !== ownAddress) location.replace(ownAddress);
}

// --- helpers ---------------------------------------------------------------------------------------------------

const number = (value, decimals) => value.toFixed(decimals).replace("-", "−");
const score = (value, metric) => Number.isFinite(value) ? number(value, metric.decimals) : "–";

/** Calls `callback` once no further call came for `wait` milliseconds. */
function debounced(callback, wait = 180) {
  let timer;
  return (...values) => { clearTimeout(timer); timer = setTimeout(callback, wait, ...values); };
}

function choice(label, options, value, onchange) {
  const select = h("select", {onchange: () => onchange(select.value)},
    options.map(([id, name]) => h("option", {value: id, selected: id === value}, name)));
  return h("label", {class: "choice"}, h("span", {}, label), select);
}

function checkbox(label, checked, onchange) {
  const box = h("input", {type: "checkbox", checked, onchange: () => onchange(box.checked)});
  return h("label", {class: "tick"}, box, label);
}

const languageTag = language => language === "zh" ? "zh-Hans" : "en";
const sides = direction => direction.split("-"); // source and target language

/** "2 copied, 1 empty", each kept on one line; `none` if there are none. */
function flagList(flags, none) {
  const counts = Object.entries(flags).map(([flag, count]) => `${count} ${t(flag)}`);
  return counts.length ? counts.flatMap((count, i) => [i > 0 && t("list separator"), h("span", {class: "no-break"}, count)]) : none;
}
