// The sections of a comparison's page.

const ROW = 44;  // pixels of a group in a picture of dots
const groupColor = name => lineOf(content.groups.findIndex(group => group.name === name)).stroke;
const minus = text => text.replaceAll("-", "−");
const seeds = ({runs, lost_seeds: lost = []}) => runs.length + (lost.length ? ` of ${runs.length + lost.length}` : "");
const interval = ({interval}) => interval ? minus(interval) : "one seed: no interval";
const about = ({unit, better}) => [unit, better && `${better} is better`].filter(Boolean).join(", ");

function addHeader({name, groups, metrics, refused, left_out, beside, notes}) {
  const header = find("header");
  element("h1", header, {}, name);
  const runs = groups.reduce((sum, group) => sum + group.runs.length, 0);
  element("p", header, {}, `${count(runs)} runs in ${count(groups.length)} groups, compared over training seeds.`);
  metrics.forEach((metric, i) => addAnswer(header, metric, i === 0));
  for (const line of refused) element("p", header, {class: "note warn"}, line);
  for (const line of left_out) element("p", header, {class: "note warn"}, line);
  for (const line of [...beside ?? [], ...notes]) element("p", header, {class: "muted small"}, line);
}

/** What is said of a number: its first sentence, and behind a summary the others. */
function addAnswer(parent, {name, sentences: [first, ...others]}, isMain) {
  if (!first) return;
  const place = element("div", parent, {class: isMain ? "note answer" : "note"});
  element("p", place, {}, `${name}: ${first}`);
  if (!others.length) return;
  const more = element("details", place, {class: "small"});
  element("summary", more, {}, `${count(others.length)} more of ${name}`);
  for (const sentence of others) element("p", more, {}, sentence);
}

function addTableOf({groups: ended, lost = [], metrics}) {
  const groups = [...ended, ...lost], label = group => `${group.name} (${seeds(group)})`;
  const place = section("Numbers");
  const columns = groups.map(group => ({text: label(group), class: "number"}));
  const body = addTable(place, "Numbers by group", ["quantity", ...columns], "stack");
  for (const metric of metrics) {
    const cells = groups.map(every => {
      const group = metric.groups.find(({name}) => name === every.name);
      return group ? {text: minus(group.text), "data-label": label(every),
        class: group.name === metric.winner ? "number winner" : "number",
        node: element("div", null, {class: "muted small"}, interval(group))} : "";
    });
    addRow(body, [{text: metric.name, node: element("div", null, {class: "muted small"}, about(metric))}, ...cells]);
  }
  element("p", place, {class: "muted small"},
    "Means over training seeds ± their standard deviation; below, from where to where their bootstrap intervals go " +
    "(see Methods); in brackets, how many seeds have ended. Bold: told apart from every other group.");
}

/** A picture of one number: each run a dot, each group's mean and its interval. */
class Dots {
  constructor(parent, metric) {
    this.metric = metric;
    const figure = element("figure", parent), caption = element("figcaption", figure);
    element("b", caption, {}, metric.name);
    element("span", caption, {class: "muted small"}, about(metric));
    this.height = ROW * metric.groups.length + 24;
    this.svg = element("svg", figure, {role: "img", style: `height: ${this.height}px; cursor: default`,
      "aria-label": metric.groups.map(group => `${group.name}: ${minus(group.text)}, ${interval(group)}`).join("; ")});
    for (const note of metric.notes) element("p", figure, {class: "muted small"}, note);
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  draw() {
    const {svg, metric, height} = this, width = svg.clientWidth || 400;
    const known = metric.groups.flatMap(group => [...group.runs.map(run => run.final), ...group.ci95 ?? []]);
    const low = Math.min(...known), high = Math.max(...known), margin = 0.05 * (high - low) || Math.abs(high) || 1;
    const {place, ticks} = scale(low - margin, high + margin, 8, width - 8, false, Math.max(3, width / 90));
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    for (const tick of ticks) {
      element("line", svg, {class: "grid", x1: place(tick), x2: place(tick), y1: 4, y2: height - 20});
      element("text", svg, {x: place(tick), y: height - 5, "text-anchor": "middle"}, words(tick));
    }
    metric.groups.forEach((group, i) => this.drawGroup(group, ROW * i + 30, place));
  }

  drawGroup(group, y, place) {
    const {svg} = this, fill = groupColor(group.name);
    element("text", svg, {x: 8, y: y - 14, class: "group"}, group.name);
    if (group.ci95) element("line", svg, {x1: place(group.ci95[0]), x2: place(group.ci95[1]), y1: y, y2: y,
      stroke: fill, "stroke-width": 3});
    for (const run of group.runs) {
      const dot = element("circle", svg, {cx: place(run.final), cy: y, r: 4.5, fill, stroke: fill,
        "fill-opacity": 0.45});
      element("title", dot, {}, `${group.name}, seed ${run.seed}: ${words(run.final)}`);
    }
    element("line", svg, {x1: place(group.mean), x2: place(group.mean), y1: y - 9, y2: y + 9, stroke: "var(--ink)",
      "stroke-width": 2.5});
  }
}

function addDots({metrics}) {
  const place = section("Seeds");
  element("p", place, {class: "muted small"},
    "Each dot is a run; the upright line is the mean over seeds, the bar its bootstrap interval.");
  const grid = element("div", place, {class: "charts"});
  metrics.forEach(metric => new Dots(grid, metric));
}

function addCurves({curves}) {
  if (!curves.charts.length) return;
  const place = section("Training");
  addCharts(place, curves);
  const hasMembers = curves.charts.some(({series}) => series.some(({members}) => members.length));
  element("p", place, {class: "muted small"}, hasMembers ? "Thick: the mean over the seeds; thin: each of them."
    : "The means over the seeds.");
}

function addSamples({samples}) {
  if (!samples.length) return;
  const grid = element("div", section("Samples"), {class: "charts"});
  for (const {name, seed, src} of samples) {
    const figure = element("figure", grid);
    element("img", figure, {class: "pixels", src, alt: `samples of ${name}, seed ${seed}`, style: "width: 100%"});
    element("figcaption", figure, {}, `${name}, seed ${seed}: the last of its training`);
  }
}

function addPairs({metrics}) {
  const pairs = metrics.flatMap(metric => metric.pairs.map(pair => [metric, pair]));
  if (!pairs.length) return;
  const place = section("Differences");
  const body = addTable(place, "Differences between groups",
    ["quantity", "groups", {text: "difference", class: "number"}, {text: "interval", class: "number"}, "seeds",
      "test", {text: "p, corrected", class: "number"}, "verdict"]);
  for (const [metric, pair] of pairs) {
    addRow(body, [metric.name, {text: `${pair.a} − ${pair.b}`, class: "unit"},
      {text: minus(pair.text), class: "number"}, {text: minus(pair.interval) || "–", class: "number"},
      pair.is_paired ? `${pair.seeds[0]}, paired` : pair.seeds.join(" and "), pair.test,
      {text: words(pair.adjusted, 2), class: "number"}, {text: pair.verdict, class: "unit"}]);
  }
  element("p", place, {class: "muted small"}, "Told apart: where p, corrected for all pairs of groups, is at most " +
    "0.05 and the interval does not hold 0 (see Methods).");
}

/** A run's final value, and below it its best, where that was another. */
function finalOf(run) {
  if (!run) return "";
  const times = run.has_fallen && run.times_best != null ? `, now ${words(run.times_best, 3)} times that` : "";
  const best = run.best != null && run.best !== run.final &&
    element("div", null, {class: "muted small"}, `best ${words(run.best)} at step ${count(run.best_step)}${times}`);
  return {text: words(run.final), class: "number", title: `${run.final}`, node: best};
}

function addRuns({groups, metrics}) {
  const place = section("Runs");
  const body = addTable(place, "Runs", ["run", "seed",
    ...metrics.map(metric => ({text: metric.name, class: "number"}))]);
  for (const group of groups) {
    for (const {folder, seed} of group.runs) {
      const found = metrics.map(metric => metric.groups.find(({name}) => name === group.name)?.runs
        .find(run => run.folder === folder));
      const href = found.find(run => run?.page)?.page;
      const name = href ? {node: element("a", null, {href}, `${group.name}, seed ${seed}`)}
        : `${group.name}, seed ${seed}`;
      addRow(body, [name, count(seed), ...found.map(finalOf)]);
    }
  }
  const settings = [...new Set(groups.flatMap(group => Object.keys(group.settings)))];
  if (!settings.length) return;
  element("h3", place, {}, "Settings that tell the groups apart");
  const table = addTable(place, "Settings", ["group", ...settings]);
  for (const group of groups) {
    const value = key => key in group.settings ? JSON.stringify(group.settings[key]) : "";
    addRow(table, [group.name, ...settings.map(key => ({text: value(key), class: "value"}))]);
  }
}

function addMethods({methods, metrics}) {
  const place = section("Methods");
  for (const line of methods) element("p", place, {class: "small"}, line);
  for (const metric of metrics) {
    const protocol = metric.groups[0]?.runs[0]?.protocol;
    if (!protocol) continue;
    const details = element("details", place);
    element("summary", details, {}, `how ${metric.name} was measured`);
    addProtocol(details, Object.fromEntries(Object.entries(protocol)
      .filter(([key]) => !["seed", "step", "state"].includes(key))));
  }
}

addHeader(content);
addTableOf(content);
addDots(content);
addCurves(content);
addSamples(content);
addPairs(content);
addRuns(content);
addMethods(content);
document.body.dataset.ready = true;
