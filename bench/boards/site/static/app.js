// The header, the view that the address asks for, and the keyboard.
"use strict";

let visit = 0; // number of the view: what an earlier one was still waiting for is dropped
let keys = {}; // the view's own keyboard commands: step(by), turn(by), up()
const lists = new Map(); // direction -> the latest address of its list of segments

/** Draws a view: its title and content. */
function screen(title, nodes) {
  document.title = `${visible(title)} · bitext-bench`;
  const main = document.getElementById("main");
  main.replaceChildren();
  fill(main, {}, [nodes]);
  scrollTo(0, 0);
  if (!drawHeader() && visit > 1) main.focus({preventScroll: true});
}

function notFound(name) {
  screen(t("no page", {name}), [h("h1", {}, plain(t("no page", {name}))), h("p", {}, h("a", {href: "#/"}, t("back")))]);
}

/** Awaits a view; if it fails, the page says why. */
async function attempt(promise) {
  try { await promise; } catch (error) {
    document.getElementById("main").append(h("p", {class: "warning", role: "alert"}, error.message));
  }
}

/** Draws the header. Its focused element keeps the focus; returns whether there was one. */
function drawHeader() {
  const top = document.getElementById("top");
  const focused = top.contains(document.activeElement) && document.activeElement.id;
  const {parts: [direction, view = "board", ...rest]} = address();
  const current = site().boards[direction] ? direction : Object.keys(site().boards)[0];
  const nav = (name, parts) => h("a", {href: link(parts), "aria-current": view === name ? "page" : null}, t(name));
  top.replaceChildren(
    h("a", {class: "name", href: "#/"}, site().head.logo && h("img", {src: site().head.logo, alt: ""}), plain(site().head.title || "bitext-bench")),
    h("nav", {class: "views", "aria-label": t("views")}, nav("board", [current]), nav("segments", [current, "segments"]), nav("compare", [current, "compare"]), site().boards[current].pages && ["pairs", "parts", "map", ...(faultMetrics(site().boards[current]).length ? ["faults"] : [])].map(name => nav(name, [current, name]))),
    h("nav", {class: "directions", "aria-label": t("direction")}, Object.keys(site().boards).map(name =>
      h("a", {href: name === current ? location.hash || "#/" : link([name, ...(view === "board" ? [] : [view, ...sharedParts(view, rest, name)])]),
        "aria-current": name === current ? "true" : null}, t(name)))),
    h("div", {class: "tools"},
      copyButton(t("copy link"), () => location.href),
      h("button", {type: "button", id: "language", lang: language() === "zh" ? "en" : "zh-Hans", onclick: () => {
        choose("language", language() === "zh" ? "en" : "zh");
        route();
      }}, t("other language")),
      h("button", {type: "button", id: "theme", onclick: () => { choose("theme", dark() ? "light" : "dark"); drawHeader(); }}, t(dark() ? "light" : "dark")),
      h("button", {type: "button", id: "keys", "aria-label": t("help"), title: t("help"), onclick: help}, "?")));
  document.getElementById("skip").textContent = t("skip");
  drawFoot();
  if (focused) document.getElementById(focused).focus();
  return Boolean(focused);
}

/** The parts of a view's address that another direction has too. */
function sharedParts(view, rest, direction) {
  const hasSystem = name => site().boards[direction].rows.some(row => row.system === name);
  return view === "segments" || rest.every(hasSystem) ? rest : [];
}

/** The metrics of this project are called in the reader's language. */
function nameMetrics() {
  for (const {metrics} of Object.values(site().boards)) for (const metric of metrics) {
    metric.name ??= metric.label;
    const key = `metric ${metric.name}`;
    metric.label = t(key) === key ? metric.name : t(key);
  }
}

function route() {
  nameMetrics();
  ownAddress = "";
  visit++;
  keys = {};
  const {parts: [direction = Object.keys(site().boards)[0], view, ...rest], query} = address();
  if (!site().boards[direction]) return notFound(direction);
  if (!view) return boardView(direction, query);
  if (!site().boards[direction].pages) return screen(t("too large"), [h("p", {}, t("too large")), h("p", {}, h("a", {href: link([direction])}, t("back")))]);
  if (view === "segments" && !rest.length) return attempt(segmentsView(direction, query));
  if (view === "segments") return attempt(segmentView(direction, rest[0], query));
  if (view === "compare") return attempt(compareView(direction, rest, query));
  if (view === "pairs") return attempt(pairsView(direction, query));
  if (view === "parts") return attempt(partsView(direction, query));
  if (view === "faults") return attempt(faultsView(direction, query));
  if (view === "map") return attempt(mapView(direction, query));
  if (view === "systems" && rest.length) return attempt(systemView(direction, rest[0]));
  return notFound(view);
}

function help() {
  const dialog = document.getElementById("help");
  const entry = (names, action) => [h("dt", {}, names.map(name => h("kbd", {}, name))), h("dd", {}, action)];
  dialog.replaceChildren(h("h2", {id: "help-title"}, t("keys")),
    h("dl", {}, entry(["j", "→"], t("key next")), entry(["k", "←"], t("key previous")), entry(["Enter"], t("key open")),
      entry(["/"], t("key search")), entry(["u"], t("key up")), entry(["?"], t("key help"))),
    h("form", {method: "dialog", onsubmit: event => { event.preventDefault(); dialog.close(); }}, h("button", {autofocus: true}, t("close"))));
  dialog.showModal();
}

function focusSearch() {
  const field = document.getElementById("search");
  if (field) { field.focus(); field.select(); return; }
  const [direction = Object.keys(site().boards)[0]] = address().parts;
  location.hash = link([direction, "segments"]);
  const wait = setInterval(() => { // until the list is drawn
    const searchField = document.getElementById("search");
    if (searchField) { clearInterval(wait); searchField.focus(); }
  }, 30);
}

addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || document.getElementById("help").open) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const action = {
    j: () => keys.step?.(1), k: () => keys.step?.(-1), ArrowRight: () => keys.turn?.(1), ArrowLeft: () => keys.turn?.(-1),
    u: () => keys.up?.(), "/": focusSearch, "?": help,
  }[event.key];
  if (!action || (event.key.startsWith("Arrow") && (!keys.turn || event.target.closest(".wide")))) return;
  event.preventDefault();
  action();
});

addEventListener("hashchange", event => {
  if (location.hash === ownAddress) return;
  const [, oldAddress = ""] = event.oldURL.split("#");
  const [, direction] = /^\/([^/?]+)\/segments(\?|$)/.exec(oldAddress) || [];
  if (direction) lists.set(direction, "#" + oldAddress);
  route();
});

attempt(load("site").then(route));
