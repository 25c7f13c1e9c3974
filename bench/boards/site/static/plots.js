// Two plots of a board, drawn at the width that is there.
"use strict";

/** `draw(width)` gives the svg; again when the width changes. */
function plot(caption, draw) {
  const figure = h("figure", {class: "plot"});
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.floor(figure.clientWidth);
    if (!now || now === width) return;
    width = now;
    figure.replaceChildren(draw(width), h("figcaption", {class: "soft"}, plain(caption.filter(Boolean).join(" "))));
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

/** 1, 2, 5, 10 … between the two; without 2 and 5 where that would be many. */
function powers(low, high) {
  const found = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++)
    for (const n of [1, 2, 5]) found.push({value: n * 10 ** p, whole: n === 1});
  const inside = found.filter(({value}) => value >= low * 0.999 && value <= high * 1.001);
  return (inside.length > 7 ? inside.filter(({whole}) => whole) : inside).map(({value}) => value);
}

/** Cut in the middle: settings of one system differ at the end. */
const cut = (text, length) => text.length > length
  ? text.slice(0, Math.ceil(length / 3)) + "…" + text.slice(text.length - length + Math.ceil(length / 3) + 1) : text;
const range = ([value, low = value, high = value]) => [low, value, high];
const place = value => Number(value.toFixed(1)); // shorter attributes

function scorePlot(rows, metric) {
  const shown = ordered(rows.filter(row => row.scores[metric.id]), [{id: "score", value: row => row.scores[metric.id][0]}],
    {by: "score", descending: metric.higher});
  const rank = row => row.ranks[metric.id];
  const caption = [t("score plot said", {metric: metric.label}), shown.some(rank) && t("clusters said")];
  return plot(caption, width => {
    const line = 28, top = 8, label = Math.min(240, width * 0.4);
    const values = shown.flatMap(row => range(row.scores[metric.id]));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const right = width - (shown.some(rank) ? 44 : 16);
    const at = value => place(label + 12 + (right - label - 12) * (value - low) / (high - low || 1));
    const bottom = top + shown.length * line;
    const bands = [];
    shown.forEach((row, i) => {
      const last = bands.at(-1);
      if (rank(row) && last?.rank === rank(row)) last.count++;
      else bands.push({rank: rank(row), from: i, count: 1});
    });
    return svg("svg", {viewBox: `0 0 ${width} ${bottom + 46}`, width, height: bottom + 46, role: "img", "aria-label": caption.filter(Boolean).join(" ")},
      bands.map((band, i) => band.rank && [
        svg("rect", {class: i % 2 ? "band" : "band odd", x: 0, y: top + band.from * line, width, height: band.count * line}),
        svg("text", {class: "rank", x: width - 8, y: top + (band.from + band.count / 2) * line + 4, "text-anchor": "end"}, band.rank),
      ]),
      ticks(low, high, Math.max(2, (right - label) / 80)).map(value => [
        svg("line", {class: "grid", x1: at(value), x2: at(value), y1: top, y2: bottom}),
        svg("text", {class: "axis", x: at(value), y: bottom + 18, "text-anchor": "middle"}, String(value).replace("-", "−")),
      ]),
      svg("text", {class: "axis", x: right, y: bottom + 38, "text-anchor": "end"}, `${metric.label} · ${t(metric.higher ? "higher" : "lower")}`),
      shown.map((row, i) => {
        const [from, value, to] = range(row.scores[metric.id]);
        const y = top + (i + 0.5) * line;
        return svg("g", {class: row.control ? "dot control" : "dot"},
          svg("title", {}, `${row.system}: ${number(value, metric.decimals)} [${number(from, metric.decimals)}, ${number(to, metric.decimals)}]`),
          svg("text", {x: label, y: y + 4, "text-anchor": "end"}, cut(row.system, Math.floor(label / 7.4))),
          svg("line", {x1: at(from), x2: at(to), y1: y, y2: y}),
          svg("circle", {cx: at(value), cy: y, r: 4.5}));
      }));
  });
}

function speedPlot(rows, metric) {
  const shown = rows.filter(row => row.scores[metric.id] && row.speed > 0);
  if (!shown.length) return h("p", {class: "soft"}, t("no speed"));
  const devices = [...new Set(shown.map(row => row.device))];
  const caption = [t("speed plot said", {metric: metric.label}), devices.length > 1 && t("other devices", {devices: devices.join(", ")})];
  return plot(caption, width => {
    const left = 44, top = 28, right = width - 20, bottom = Math.min(420, Math.max(240, width * 0.6));
    const values = shown.flatMap(row => range(row.scores[metric.id]));
    const pad = (Math.max(...values) - Math.min(...values) || 1) * 0.08;
    const [low, high] = [Math.min(...values) - pad, Math.max(...values) + pad];
    const speeds = shown.map(row => row.speed);
    const [slow, fast] = [Math.min(...speeds) / 1.6, Math.max(...speeds) * 1.6];
    const x = speed => place(left + (right - left) * Math.log(speed / slow) / Math.log(fast / slow));
    const y = value => place(bottom - (bottom - top) * (value - low) / (high - low));
    const taken = shown.map(row => ({x: x(row.speed) - 6, y: y(row.scores[metric.id][0]) - 8, width: 12, height: 16}));
    return svg("svg", {viewBox: `0 0 ${width} ${bottom + 46}`, width, height: bottom + 46, role: "img", "aria-label": caption.filter(Boolean).join(" ")},
      ticks(low, high, 5).map(value => [
        svg("line", {class: "grid", x1: left, x2: right, y1: y(value), y2: y(value)}),
        svg("text", {class: "axis", x: left - 8, y: y(value) + 4, "text-anchor": "end"}, String(value).replace("-", "−")),
      ]),
      powers(slow, fast).map(value => [
        svg("line", {class: "grid", x1: x(value), x2: x(value), y1: top, y2: bottom}),
        svg("text", {class: "axis", x: x(value), y: bottom + 18, "text-anchor": "middle"}, String(value)),
      ]),
      svg("text", {class: "axis", x: right, y: bottom + 38, "text-anchor": "end"}, t("speed axis")),
      svg("text", {class: "axis", x: 0, y: 12}, `${metric.label} · ${t(metric.higher ? "higher" : "lower")}`),
      shown.map(row => {
        const [from, value, to] = range(row.scores[metric.id]);
        const name = label(row.system, x(row.speed), y(value), {left, right, top, bottom}, taken);
        return svg("g", {class: "dot"},
          svg("title", {}, `${row.system}: ${number(value, metric.decimals)}, ${row.speed} ${t("speed")}, ${row.device}`),
          svg("line", {x1: x(row.speed), x2: x(row.speed), y1: y(from), y2: y(to)}),
          svg("circle", {cx: x(row.speed), cy: y(value), r: 4.5}),
          name);
      }));
  });
}

/** A name beside its point, on the side where nothing else is; without such a place the name is in the title only. */
function label(name, x, y, edges, taken) {
  const [width, height] = [Math.min(name.length, 28) * 7.4, 15];
  for (const [dx, anchor] of [[10, "start"], [-10, "end"], [0, "middle"]])
    for (const dy of anchor === "middle" ? [-18, 18] : [0]) {
      const box = {x: x + dx - width * {start: 0, middle: 0.5, end: 1}[anchor], y: y + dy - 8, width, height};
      const clear = taken.every(other => other.x + other.width <= box.x || box.x + box.width <= other.x ||
        other.y + other.height <= box.y || box.y + box.height <= other.y || (other.x === x - 6 && other.y === y - 8));
      if (!clear || box.x < edges.left || box.x + width > edges.right || box.y < edges.top - 12 || box.y + height > edges.bottom) continue;
      taken.push(box);
      return svg("text", {x: x + dx, y: y + dy + 4, "text-anchor": anchor}, cut(name, 28));
    }
  return null;
}
