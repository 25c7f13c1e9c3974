// One system: its scores and how it was run.
"use strict";

async function systemView(direction, name) {
  const board = site().boards[direction];
  const index = board.rows.findIndex(row => row.system === name);
  if (index < 0) return notFound(name);
  const mine = visit;
  const run = (await load(`${direction}/runs`))[index];
  if (mine !== visit) return;
  const row = board.rows[index];
  const work = run.work || {};
  const facts = [
    [t("size"), row.size], [t("licence"), row.licence], [t("identity"), run.identity],
    [t("flags"), flagList(row.flags, "0")], [t("fell back count"), run.fell_back || null],
    [t("device"), row.device], [t("speed"), row.speed && number(row.speed, 2)], [t("seconds"), work.seconds],
    [t("tokens"), work.tokens_in && `${work.tokens_in}, ${work.tokens_out}`], [t("made"), typeof run.made?.at === "string" && run.made.at],
    [t("run"), `${row.folder} (${t("beside site")})`],
  ].filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
  const others = board.rows.filter(other => other !== row).map(other => [other.system, other.system]);
  screen(name, [
    h("p", {class: "crumbs"}, h("a", {href: link([direction])}, t("board")), " / ", t(direction)),
    h("h1", {}, name, row.control && h("span", {class: "chip"}, t("control"))),
    h("div", {class: "bar"},
      h("a", {class: "button", href: link([direction, "segments"], {system: name})}, t("see segments")),
      others.length > 0 && choice(t("compare with"), [["", "–"], ...others], "", other => {
        if (other) location.hash = link([direction, "compare", name, other]);
      })),
    h("div", {class: "halves"},
      h("section", {}, h("h2", {}, t("scores")), scrolling(table({
        caption: t("scores"), rows: board.metrics, sort: {}, columns: [
          {id: "metric", head: t("metric"), cell: metric => metric.label},
          {id: "score", head: t("score"), class: "number", cell: metric => scoreCell(row, metric)},
          {id: "rank", head: t("rank"), class: "number", cell: metric => row.ranks[metric.id] ? rankRange(row.ranks[metric.id]) : "–"},
        ]}))),
      h("section", {}, h("h2", {}, t("facts")), h("dl", {class: "facts"},
        facts.map(([term, value]) => [h("dt", {}, term), h("dd", {}, Array.isArray(value) ? value : plain(String(value)))])))),
    h("details", {}, h("summary", {}, t("run record")), h("pre", {}, plain(JSON.stringify(run, null, 2)))),
  ]);
}
