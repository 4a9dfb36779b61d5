// Curves that one can read values from: one clock for all charts, moved by pointer, touch and keys.

const DASHES = ["", "7 3", "2 2", "9 2 2 2", "4 1", "1 3"];
/** How the i-th series is drawn: six colours, and other dashes in each round of them. */
const lineOf = i => ({stroke: `var(--line-${i % 6})`, "stroke-dasharray": DASHES[(i + Math.floor(i / 6)) % 6]});
const SPAN = {left: 52, right: 12, top: 10, bottom: 22, height: 208};  // of a chart, in pixels

/** Round numbers from low to high, about so many. */
function ticks(low, high, about) {
  const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(times => times * power).find(step => step >= raw);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({length: Math.floor(high / step + 1e-9) - first + 1},
    (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** 1, 2 and 5 times the powers of ten from low to high, thinned to the powers where they are many. */
function logTicks(low, high) {
  const powers = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) powers.push(power);
  const wanted = powers.length > 3 ? [1] : [1, 2, 5];
  const found = powers.flatMap(power => wanted.map(times => times * 10 ** power))
    .filter(tick => tick >= low && tick <= high);
  return found.length > 1 ? found : ticks(low, high, 4).filter(tick => tick > 0);
}

/** A scale from [low, high] to [from, to], and its ticks. */
function scale(low, high, from, to, isLog, about) {
  const map = isLog ? Math.log : Number, start = map(low), length = map(high) - start || 1;
  const place = value => from + (to - from) * (map(value) - start) / length;
  return {place, ticks: isLog ? logTicks(low, high) : ticks(low, high, about)};
}

/** Where most values lie: the few that lie far out of it, as those of the first records do, are cut. */
function usualRange(values) {
  const sorted = [...values].sort((a, b) => a - b), at = share => sorted[Math.round(share * (sorted.length - 1))];
  const room = 0.75 * (at(0.95) - at(0.05));
  return [Math.max(sorted[0], at(0.05) - room), Math.min(sorted.at(-1), at(0.95) + room)];
}

/** The index of a series' best value, -1 where more is neither better nor worse. */
function bestOf(values, better) {
  if (!better) return -1;
  return values.reduce((best, value, i) =>
    value != null && (best < 0 || (better === "higher" ? value > values[best] : value < values[best])) ? i : best, -1);
}

/** The series of a chart by which its best record is told: that of the samples, or of the test data; else the best. */
function judged({series, better}) {
  const named = ["samples", "test"].map(name => series.find(series => series.name === name)).find(Boolean);
  const best = bestOf(series.map(({values}) => values[bestOf(values, better)]), better);
  return named ?? series[Math.max(0, best)];
}

class Chart {
  /** chart: {name, unit, better, series}; clock: the charts' common one. */
  constructor(parent, chart, clock) {
    Object.assign(this, {chart, clock, isLog: false, hidden: new Set()});
    const figure = element("figure", parent);
    const caption = element("figcaption", figure);
    element("b", caption, {}, chart.name);
    const direction = {lower: "lower is better", higher: "higher is better"}[chart.better];
    element("span", caption, {class: "muted small"}, [chart.unit, direction].filter(Boolean).join(", "));
    this.svg = element("svg", figure, {
      tabindex: 0, role: "slider", "aria-label": `${chart.name} by ${clock.unit}`,
      "aria-valuemin": clock.x[0], "aria-valuemax": clock.x.at(-1),
    });
    this.addLegend(figure);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  addLegend(figure) {
    const legend = element("div", figure, {class: "legend"});
    this.outputs = this.chart.series.map((series, i) => {
      const button = element("button", legend, {type: "button", "aria-pressed": true});
      const line = element("svg", button, {viewBox: "0 0 24 10", "aria-hidden": true});
      element("path", line, {d: "M0 5H24", "stroke-width": 2, ...lineOf(i)});
      element("span", button, {}, series.name);
      button.addEventListener("click", () => {
        const isShown = this.hidden.delete(series.name) || !this.hidden.add(series.name);
        button.setAttribute("aria-pressed", isShown);
        this.draw();
      });
      return element("output", button);
    });
    const series = judged(this.chart);
    this.best = bestOf(series.values, this.chart.better);
    if (this.best < 0) return;
    const at = `${this.clock.unit} ${count(this.clock.x[this.best])}`;
    element("span", legend, {class: "muted small"},
      `best${this.chart.series.length > 1 ? ` ${series.name}` : ""}: ${words(series.values[this.best], 5)} at ${at}`);
  }

  listen() {
    const {svg, clock} = this;
    const follow = event => {
      const box = svg.getBoundingClientRect();
      const share = (event.clientX - box.left - SPAN.left) / (box.width - SPAN.left - SPAN.right);
      const wanted = clock.x[0] + share * (clock.x.at(-1) - clock.x[0]);
      clock.set(clock.x.reduce((best, x, i) => Math.abs(x - wanted) < Math.abs(clock.x[best] - wanted) ? i : best, 0));
    };
    svg.addEventListener("pointermove", follow);
    svg.addEventListener("pointerdown", follow);
    svg.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") clock.set(null); });
    svg.addEventListener("focus", () => { if (clock.at == null) clock.set(clock.x.length - 1); });
    svg.addEventListener("keydown", event => {
      const last = clock.x.length - 1, at = clock.at ?? last, page = Math.max(1, Math.round(last / 10));
      const to = {ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: last,
        PageDown: at - page, PageUp: at + page}[event.key];
      if (event.key === "Escape") clock.set(null);
      if (to == null) return;
      event.preventDefault();
      clock.set(Math.min(last, Math.max(0, to)));
    });
  }

  /** The values that are shown, and can be in this scale. */
  shown() {
    const usable = value => value != null && (!this.isLog || value > 0);
    return this.chart.series.map(series => this.hidden.has(series.name) ? []
      : series.values.map(value => usable(value) ? value : null));
  }

  /** Of each series, what it is the mean of, where that is shown. */
  members() {
    return this.chart.series.map(series => this.hidden.has(series.name) ? [] : series.members ?? []);
  }

  draw() {
    const {svg, clock} = this, width = svg.clientWidth || 400, shown = this.shown();
    const known = [...shown, ...this.members().flat()].flat()
      .filter(value => value != null && (!this.isLog || value > 0));
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${width} ${SPAN.height}`);
    this.isEmpty = !known.length;
    if (this.isEmpty) {
      element("text", svg, {x: width / 2, y: SPAN.height / 2, "text-anchor": "middle"},
        this.isLog ? "no value above 0: switch to a linear scale" : "nothing is shown");
      return;
    }
    const least = known.reduce((a, b) => Math.min(a, b)), most = known.reduce((a, b) => Math.max(a, b));
    const [low, high] = this.isLog || this.isWhole ? [least, most] : usualRange(known);
    const margin = high > low ? 0.04 * (high - low) : Math.abs(high) || 1;
    const [from, to] = this.isLog ? [low / 1.03, high * 1.03] : [low - margin, high + margin];
    const bottom = SPAN.height - SPAN.bottom;
    this.y = scale(from, to, bottom, SPAN.top, this.isLog, 5);
    this.x = scale(clock.x[0], clock.x.at(-1), SPAN.left, width - SPAN.right, false, Math.max(3, width / 110));
    for (const tick of this.y.ticks) {
      element("line", svg, {class: "grid", x1: SPAN.left, x2: width - SPAN.right, y1: this.y.place(tick),
        y2: this.y.place(tick)});
      element("text", svg, {x: SPAN.left - 6, y: this.y.place(tick) + 4, "text-anchor": "end"}, words(tick));
    }
    for (const tick of clock.x.length > 1 ? this.x.ticks : clock.x) {
      const x = this.x.place(tick), isLast = x > width - SPAN.right - 16;
      if (x < SPAN.left + 12) continue;  // where the unit stands
      const at = isLast ? {x: width - SPAN.right, "text-anchor": "end"} : {x, "text-anchor": "middle"};
      element("text", svg, {...at, y: SPAN.height - 6}, words(tick));
    }
    element("line", svg, {class: "grid", x1: SPAN.left, x2: width - SPAN.right, y1: bottom, y2: bottom});
    element("text", svg, {x: SPAN.left - 6, y: SPAN.height - 6, "text-anchor": "end"}, clock.unit);
    const cut = [most > high && `↑ up to ${words(most)}`,
      least < low && `↓ down to ${words(least)}`].filter(Boolean);
    element("text", svg, {x: width - SPAN.right, y: SPAN.top + 2, "text-anchor": "end"}, cut.join("  "));
    const [wide, tall] = [width - SPAN.left - SPAN.right, bottom - SPAN.top];
    this.inside = element("svg", svg, {x: SPAN.left, y: SPAN.top, width: wide, height: tall, overflow: "hidden",
      viewBox: `${SPAN.left} ${SPAN.top} ${wide} ${tall}`});
    this.members().forEach((members, i) => members.forEach(values => this.addCurve(values, i, "member")));
    shown.forEach((values, i) => this.addCurve(values, i));
    this.addBest();
    this.cross = element("g", svg);
    this.point();
  }

  addCurve(values, i, kind = "") {
    let pen = "M";
    const path = values.map((value, at) => {
      if (value == null || this.isLog && value <= 0) { if (this.isLog) pen = "M"; return ""; }
      const point = `${pen}${this.x.place(this.clock.x[at]).toFixed(1)} ${this.y.place(value).toFixed(1)}`;
      pen = "L";
      return point;
    }).join("");
    element("path", this.inside, {class: `curve ${kind}`, d: path, ...lineOf(i)});
    const known = values.flatMap((value, at) => value == null ? [] : [at]);
    if (known.length === 1) this.addDot(this.inside, known[0], values, i);
  }

  addDot(parent, at, values, i, radius = 3.5) {
    const y = values[at] == null ? -1 : this.y.place(values[at]);
    if (y < 0 || y > SPAN.height) return;
    element("circle", parent, {cx: this.x.place(this.clock.x[at]), cy: y, r: radius,
      fill: lineOf(i).stroke, stroke: "var(--page)"});
  }

  addBest() {
    const i = this.chart.series.indexOf(judged(this.chart)), value = this.shown()[i][this.best];
    if (value == null) return;
    element("circle", this.svg, {class: "best", cx: this.x.place(this.clock.x[this.best]), cy: this.y.place(value),
      r: 5.5, fill: "none", stroke: lineOf(i).stroke, "stroke-width": 2});
  }

  /** Shows the clock's record: its values, and a line where it is. Between two records of a series, the one before. */
  point() {
    const {clock, chart, svg} = this, at = clock.at ?? clock.x.length - 1;
    const known = chart.series.map(({values}) => values.findLastIndex((value, i) => i <= at && value != null));
    chart.series.forEach(({values}, i) => setText(this.outputs[i], words(values[known[i]] ?? null, 5)));
    svg.setAttribute("aria-valuenow", clock.x[at]);
    svg.setAttribute("aria-valuetext", `${clock.unit} ${count(clock.x[at])}: ` +
      chart.series.map(({name, values}, i) => `${name} ${words(values[known[i]] ?? null)}`).join(", "));
    if (this.isEmpty || !this.cross) return;
    this.cross.replaceChildren();
    if (clock.at == null) return;
    const x = this.x.place(clock.x[at]), left = x > svg.clientWidth / 2;
    element("line", this.cross, {class: "cross", x1: x, x2: x, y1: SPAN.top, y2: SPAN.height - SPAN.bottom});
    element("text", this.cross, {x: x + (left ? -5 : 5), y: SPAN.top + 8, "text-anchor": left ? "end" : "start"},
      `${clock.unit} ${count(clock.x[at])}`);
    this.shown().forEach((values, i) => this.addDot(this.cross, known[i], values, i));
  }
}

/** Charts of {unit, x, charts}, with a switch for their scale; the later ones behind a summary. */
function addCharts(parent, {unit, x, charts}, first = 6) {
  const clock = {unit, x, at: null, set(at) {
    if (at === clock.at) return;
    clock.at = at;
    made.forEach(chart => chart.point());
  }};
  const made = [];
  const controls = element("div", parent, {class: "controls"});
  const addSwitch = (label, change) => {
    const box = element("input", element("label", controls), {type: "checkbox"});
    box.after(` ${label}`);
    box.addEventListener("change", () => made.forEach(chart => { change(chart, box.checked); chart.draw(); }));
  };
  addSwitch("logarithmic scale", (chart, isOn) => { chart.isLog = isOn; });
  addSwitch("whole range", (chart, isOn) => { chart.isWhole = isOn; });
  element("span", controls, {class: "muted keys"},
    "Point at a curve, or focus it and press the arrow keys, to read its values.");
  const place = element("div", parent, {class: "charts"});
  charts.slice(0, first).forEach(chart => made.push(new Chart(place, chart, clock)));
  if (charts.length > first) {
    const more = element("details", parent);
    element("summary", more, {}, `${charts.length - first} more curves`);
    const rest = element("div", more, {class: "charts"});
    charts.slice(first).forEach(chart => made.push(new Chart(rest, chart, clock)));
  }
  return made;
}

/** The records as CSV. */
function asTable({unit, x, charts}) {
  const series = charts.flatMap(chart => chart.series.map(series => [`${chart.name} ${series.name}`, series.values]));
  const rows = x.map((at, i) => [at, ...series.map(([, values]) => values[i] ?? "")]);
  return [[unit, ...series.map(([name]) => `"${name}"`)], ...rows].map(row => row.join(",")).join("\n") + "\n";
}
