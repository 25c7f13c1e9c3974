// The plots of a board, drawn to fit the available width.
"use strict";

/** `draw(width)` returns the svg; it is called again when the width changes. */
function plot(caption, draw) {
  const figure = h("figure", {class: "plot"});
  let width = 0;
  new ResizeObserver(() => {
    const available = Math.floor(figure.clientWidth);
    if (!available || available === width) return;
    width = available;
    figure.replaceChildren(draw(width), h("figcaption", {class: "soft"}, plain(caption.filter(Boolean).join(t("sentence separator")))));
  }).observe(figure);
  return figure;
}

/** Round numbers from `low` to `high`, about `count` of them. */
function ticks(low, high, count) {
  const rough = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({length: Math.floor(high / step + 1e-9) - first + 1}, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** 1, 2, 5, 10 … from `low` to `high`; only powers of ten if that would be more than seven. */
function logTicks(low, high) {
  const candidates = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++)
    for (const n of [1, 2, 5]) candidates.push({value: n * 10 ** p, isPower: n === 1});
  const inside = candidates.filter(({value}) => value >= low * 0.999 && value <= high * 1.001);
  return (inside.length > 7 ? inside.filter(({isPower}) => isPower) : inside).map(({value}) => value);
}

/** The names of a board's rows in `length` characters: the middle of a long one becomes "…", where all stay different. */
function shortNames(rows, length) {
  const names = rows.map(row => row.system);
  const cut = (name, head) => name.length > length ? name.slice(0, head) + "…" + name.slice(name.length - length + head + 1) : name;
  const heads = Array.from({length: length - 1}, (_, head) => head).sort((a, b) => Math.abs(a - length / 2) - Math.abs(b - length / 2));
  const head = heads.find(head => new Set(names.map(name => cut(name, head))).size === new Set(names).size);
  return new Map(names.map(name => [name, head === undefined ? name : cut(name, head)]));
}
/** [lower end, score, upper end] */
const range = ([value, low = value, high = value]) => [low, value, high];
const rankRange = ([best, worst]) => best === worst ? `${best}` : `${best}–${worst}`;
const pixel = value => Number(value.toFixed(1)); // one decimal keeps attributes short

function scorePlot(rows, metric) {
  const shown = ordered(rows.filter(row => row.scores[metric.id]), [{id: "score", value: row => row.scores[metric.id][0]}],
    {by: "score", descending: metric.higher_is_better});
  const rank = row => row.ranks[metric.id] && rankRange(row.ranks[metric.id]);
  const caption = [t("score plot caption", {metric: metric.label})];
  return plot(caption, width => {
    const lineHeight = 28, top = 8, labelWidth = Math.min(260, width * 0.45);
    const short = shortNames(shown, Math.floor(labelWidth / 7.4));
    const values = shown.flatMap(row => range(row.scores[metric.id]));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const right = width - (shown.some(rank) ? 44 : 16);
    const x = value => pixel(labelWidth + 12 + (right - labelWidth - 12) * (value - low) / (high - low || 1));
    const bottom = top + shown.length * lineHeight;
    return svg("svg", {viewBox: `0 0 ${width} ${bottom + 46}`, width, height: bottom + 46, role: "img", "aria-label": caption.filter(Boolean).join(t("sentence separator"))},
      ticks(low, high, Math.max(2, (right - labelWidth) / 80)).map(value => [
        svg("line", {class: "grid", x1: x(value), x2: x(value), y1: top, y2: bottom}),
        svg("text", {class: "axis", x: x(value), y: bottom + 18, "text-anchor": "middle"}, String(value).replace("-", "−")),
      ]),
      svg("text", {class: "axis", x: right, y: bottom + 38, "text-anchor": "end"}, `${metric.label} · ${t(better(metric), {best: metric.best})}`),
      shown.map((row, i) => {
        const [from, value, to] = range(row.scores[metric.id]);
        const y = top + (i + 0.5) * lineHeight;
        return svg("g", {class: row.control ? "dot control" : "dot"},
          svg("title", {}, `${row.system}: ${number(value, metric.decimals)} [${number(from, metric.decimals)}, ${number(to, metric.decimals)}]`),
          svg("text", {x: labelWidth, y: y + 4, "text-anchor": "end"}, short.get(row.system)),
          rank(row) && svg("text", {class: "rank", x: width - 4, y: y + 4, "text-anchor": "end"}, rank(row)),
          svg("line", {x1: x(from), x2: x(to), y1: y, y2: y}),
          svg("circle", {cx: x(value), cy: y, r: 4.5}));
      }));
  });
}

/** Parameters of a model, from a size like "1.5B, Q4_K_M" or "494M"; null without such a number. */
function sizeOf(row) {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\s*([MBT])\b/.exec(row.size || "") || [];
  return count ? Number(count) * {M: 1e6, B: 1e9, T: 1e12}[unit] : null;
}

const sizeText = value => value >= 1e9 ? `${Number((value / 1e9).toPrecision(3))}B` : `${Number((value / 1e6).toPrecision(3))}M`;

/** Quality against `by`, "speed" or "size". A point whose name finds no free place has a number; the caption has its name. */
function pointPlot(rows, metric, by) {
  const position = by === "speed" ? row => row.speed : sizeOf;
  const shown = rows.filter(row => row.scores[metric.id] && position(row) > 0);
  if (!shown.length) return h("p", {class: "soft"}, t("no speed"));
  const devices = [...new Set(shown.map(row => row.device))];
  const words = [t(`${by} plot caption`, {metric: metric.label}),
    by === "speed" && devices.length > 1 && t("other devices", {devices: devices.join(t("list separator"))})];
  const caption = [...words, null];
  return plot(caption, width => {
    const left = 44, top = 28, right = width - 20, bottom = Math.min(420, Math.max(260, width * 0.6));
    const values = shown.flatMap(row => range(row.scores[metric.id]));
    const pad = (Math.max(...values) - Math.min(...values) || 1) * 0.08;
    const [low, high] = [Math.min(...values) - pad, Math.max(...values) + pad];
    const positions = shown.map(position);
    const [first, last] = [Math.min(...positions) / 1.6, Math.max(...positions) * 1.6];
    const x = value => pixel(left + (right - left) * Math.log(value / first) / Math.log(last / first));
    const y = value => pixel(bottom - (bottom - top) * (value - low) / (high - low));
    const taken = shown.map(row => ({x: x(position(row)) - 6, y: y(row.scores[metric.id][0]) - 8, width: 12, height: 16}));
    const numbered = [], unplaced = [], places = [], short = shortNames(shown, 28);
    const points = shown.map(row => {
      const [from, value, to] = range(row.scores[metric.id]);
      const [px, py] = [x(position(row)), y(value)];
      const name = pointLabel(short.get(row.system), px, py, {left, right, top, bottom}, taken);
      if (!name) unplaced.push({system: row.system, px, py});
      return svg("g", {class: "dot"},
        svg("title", {}, `${row.system}: ${number(value, metric.decimals)}, ${by === "speed" ? `${row.speed} ${t("speed")}, ${row.device}` : row.size}`),
        svg("line", {x1: px, x2: px, y1: y(from), y2: y(to)}),
        svg("circle", {cx: px, cy: py, r: 4.5}),
        name);
    });
    // Points at nearly the same place share a label: "1, 2".
    for (const point of unplaced) {
      const near = places.find(({px, py}) => Math.abs(px - point.px) < 14 && Math.abs(py - point.py) < 14);
      near ? near.systems.push(point.system) : places.push({px: point.px, py: point.py, systems: [point.system]});
    }
    const labels = places.map(({px, py, systems}) => {
      const text = systems.map((_, n) => numbered.length + n + 1).join(t("list separator"));
      const label = pointLabel(text, px, py, {left, right, top, bottom}, taken);
      if (label) numbered.push(...systems);
      return label;
    });
    caption[2] = numbered.map((name, i) => `${i + 1} ${name}`).join(t("clause separator"));
    return svg("svg", {viewBox: `0 0 ${width} ${bottom + 46}`, width, height: bottom + 46, role: "img", "aria-label": words.filter(Boolean).join(t("sentence separator"))},
      ticks(low, high, 5).map(value => [
        svg("line", {class: "grid", x1: left, x2: right, y1: y(value), y2: y(value)}),
        svg("text", {class: "axis", x: left - 8, y: y(value) + 4, "text-anchor": "end"}, String(value).replace("-", "−")),
      ]),
      logTicks(first, last).map(value => [
        svg("line", {class: "grid", x1: x(value), x2: x(value), y1: top, y2: bottom}),
        svg("text", {class: "axis", x: x(value), y: bottom + 18, "text-anchor": "middle"}, by === "speed" ? String(value) : sizeText(value)),
      ]),
      svg("text", {class: "axis", x: right, y: bottom + 38, "text-anchor": "end"}, t(`${by} axis`)),
      svg("text", {class: "axis", x: 0, y: 12}, `${metric.label} · ${t(better(metric), {best: metric.best})}`),
      points, labels);
  });
}

/** A name beside its point, on a free side; null if there is none. */
function pointLabel(name, x, y, edges, taken) {
  const [width, height] = [name.length * 7.4, 15];
  for (const [dx, anchor] of [[10, "start"], [-10, "end"], [0, "middle"]])
    for (const dy of anchor === "middle" ? [-18, 18] : [0]) {
      const box = {x: x + dx - width * {start: 0, middle: 0.5, end: 1}[anchor], y: y + dy - 8, width, height};
      const isFree = taken.every(other => other.x + other.width <= box.x || box.x + box.width <= other.x ||
        other.y + other.height <= box.y || box.y + box.height <= other.y || (other.x === x - 6 && other.y === y - 8));
      if (!isFree || box.x < edges.left || box.x + width > edges.right || box.y < edges.top - 12 || box.y + height > edges.bottom) continue;
      taken.push(box);
      return svg("text", {x: x + dx, y: y + dy + 4, "text-anchor": anchor}, name);
    }
  return null;
}
