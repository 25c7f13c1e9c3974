// What stands around each view, which one the address asks for, and the keys.
"use strict";

let visit = 0; // counts views: what an earlier one was still waiting for comes too late
let keys = {}; // what the view does on keys: step(by), turn(by), up()
const lists = {}; // direction -> the address of the list as it was last left

/** Draws a view: its title and what stands in it. */
function screen(title, nodes) {
  document.title = `${title} · bitext-bench`;
  const main = document.getElementById("main");
  main.replaceChildren();
  fill(main, {}, [nodes]);
  scrollTo(0, 0);
  if (!frame() && visit > 1) main.focus({preventScroll: true});
}

function notHere(what) {
  screen(t("not here", {what}), [h("h1", {}, plain(t("not here", {what}))), h("p", {}, h("a", {href: "#/"}, t("back")))]);
}

/** A view's promise; where it fails the page says why. */
async function attempt(promise) {
  try { await promise; } catch (error) {
    document.getElementById("main").append(h("p", {class: "warning", role: "alert"}, error.message));
  }
}

/** The head of the page. What had the focus in it has it again; tells whether there was such a thing. */
function frame() {
  const top = document.getElementById("top");
  const focused = top.contains(document.activeElement) && document.activeElement.id;
  const {parts: [direction, view = "board", ...rest]} = address();
  const here = site().boards[direction] ? direction : Object.keys(site().boards)[0];
  const nav = (name, parts) => h("a", {href: link(parts), "aria-current": view === name ? "page" : null}, t(name));
  top.replaceChildren(
    h("a", {class: "name", href: "#/"}, "bitext-bench"),
    h("nav", {class: "views", "aria-label": "bitext-bench"}, nav("board", [here]), nav("segments", [here, "segments"]), nav("compare", [here, "compare"])),
    h("nav", {class: "directions", "aria-label": t("direction")}, Object.keys(site().boards).map(other =>
      h("a", {href: other === here ? location.hash || "#/" : link([other, ...(view === "board" ? [] : [view, ...kept(view, rest, other)])]),
        "aria-current": other === here ? "true" : null}, t(other)))),
    h("div", {class: "tools"},
      h("button", {type: "button", id: "language", lang: language() === "zh" ? "en" : "zh-Hans", onclick: () => {
        choose("language", language() === "zh" ? "en" : "zh");
        route();
      }}, t("other language")),
      h("button", {type: "button", id: "theme", onclick: () => { choose("theme", dark() ? "light" : "dark"); frame(); }}, t(dark() ? "light" : "dark")),
      h("button", {type: "button", id: "keys", "aria-label": t("help"), title: t("help"), onclick: help}, "?")));
  document.getElementById("skip").textContent = t("skip");
  if (focused) document.getElementById(focused).focus();
  return Boolean(focused);
}

/** Of a view's address what the other direction has too. */
function kept(view, rest, direction) {
  const has = name => site().boards[direction].rows.some(row => row.system === name);
  return view === "segments" || rest.every(has) ? rest : [];
}

function route() {
  written = "";
  visit++;
  keys = {};
  const {parts: [direction = Object.keys(site().boards)[0], view, ...rest], query} = address();
  if (!site().boards[direction]) return notHere(direction);
  if (!view) return boardView(direction, query);
  if (view === "segments" && !rest.length) return attempt(segmentsView(direction, query));
  if (view === "segments") return attempt(segmentView(direction, rest[0], query));
  if (view === "compare") return attempt(compareView(direction, rest, query));
  if (view === "systems" && rest.length) return attempt(systemView(direction, rest[0]));
  return notHere(view);
}

function help() {
  const dialog = document.getElementById("help");
  const key = (names, what) => [h("dt", {}, names.map(name => h("kbd", {}, name))), h("dd", {}, what)];
  dialog.replaceChildren(h("h2", {}, t("keys")),
    h("dl", {}, key(["j", "→"], t("key next")), key(["k", "←"], t("key previous")), key(["Enter"], t("key open")),
      key(["/"], t("key search")), key(["u"], t("key up")), key(["?"], t("key help"))),
    h("form", {method: "dialog", onsubmit: event => { event.preventDefault(); dialog.close(); }}, h("button", {autofocus: true}, t("close"))));
  dialog.showModal();
}

function find() {
  const field = document.getElementById("search");
  if (field) { field.focus(); field.select(); return; }
  const [direction = Object.keys(site().boards)[0]] = address().parts;
  location.hash = link([direction, "segments"]);
  const wait = setInterval(() => { // until the list is drawn
    const there = document.getElementById("search");
    if (there) { clearInterval(wait); there.focus(); }
  }, 30);
}

addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || document.getElementById("help").open) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const act = {
    j: () => keys.step?.(1), k: () => keys.step?.(-1), ArrowRight: () => keys.turn?.(1), ArrowLeft: () => keys.turn?.(-1),
    u: () => keys.up?.(), "/": find, "?": help,
  }[event.key];
  if (!act || (event.key.startsWith("Arrow") && (!keys.turn || event.target.closest(".wide")))) return;
  event.preventDefault();
  act();
});

addEventListener("hashchange", event => {
  if (location.hash === written) return;
  const [, left = ""] = event.oldURL.split("#");
  const [, direction] = /^\/([^/?]+)\/segments(\?|$)/.exec(left) || [];
  if (direction) lists[direction] = "#" + left;
  route();
});

attempt(load("site").then(route));
