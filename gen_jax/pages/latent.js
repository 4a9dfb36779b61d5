// The latent space to play with: every control moves one point, and the page decodes it.

const MOST_SLIDERS = 16;
const REACH = 3.5;  // standard deviations that a slider spans to both sides

/** A point of latent space that controls share: they move it, and are told of it. */
class Point {
  constructor(z) {
    this.z = Float32Array.from(z);
    this.listeners = [];
  }

  /** mover: the control that moves it, for those who tell the others' moves from their own. */
  move(z, mover = null) {
    this.z = Float32Array.from(z);
    this.mover = mover;
    this.due ??= requestAnimationFrame(() => this.tell());
  }

  tell() {
    this.due = null;
    this.listeners.forEach(listener => listener(this.z, this.mover));
  }
}

const combine = (a, b, share) => a.map((value, i) => value + share * b[i]);
const hundredths = value => (Math.round(100 * value) / 100 || 0).toFixed(2).replace("-", "−");
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** What the point decodes to, with how long that took. */
function addPicture(parent, space, point) {
  const decode = makeDecoder(space.decoder), addCanvas = space.among ? addPointCanvas : addImageCanvas;
  const [canvas, show] = addCanvas(parent, space);
  const about = element("output", parent, {class: "muted small"});
  point.listeners.push(z => {
    const began = performance.now();
    show(decode(z));
    canvas.dataset.z = JSON.stringify([...z]);
    canvas.dataset.ms = performance.now() - began;
    about.textContent = `decoded in this page, in ${words(performance.now() - began, 2)} ms`;
  });
}

/** A canvas, and show(x), which draws an image [H,W,C] on it. */
function addImageCanvas(parent, {shape: [height, width, channels]}) {
  const canvas = element("canvas", parent, {class: "picture pixels", width, height, role: "img",
    "aria-label": "What the point decodes to"});
  canvas.style.aspectRatio = `${width} / ${height}`;
  const context = canvas.getContext("2d", {willReadFrequently: true}), image = new ImageData(width, height);
  return [canvas, x => {
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * x[i * channels + (channels < 3 ? 0 : c)];
      image.data[4 * i + 3] = channels === 4 ? 255 * x[4 * i + 3] : 255;
    }
    context.putImageData(image, 0, 0);
  }];
}

/** A canvas, and show(x), which draws a point of the plane on it, among others. */
function addPointCanvas(parent, {among, among_what}) {
  const size = 640, others = floats(among);
  const ends = 1.1 * others.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const canvas = element("canvas", parent, {class: "picture among", width: size, height: size, role: "img",
    "aria-label": `What the point decodes to, among ${among_what}`});
  const context = canvas.getContext("2d");
  let last = [NaN, NaN];
  const disc = ([x, y], radius, fill) => {
    context.fillStyle = fill;
    context.beginPath();
    context.arc(size * (0.5 + x / (2 * ends)), size * (0.5 - y / (2 * ends)), radius, 0, 2 * Math.PI);
    context.fill();
  };
  const draw = () => {
    context.fillStyle = color("--panel");
    context.fillRect(0, 0, size, size);
    const fill = color("--muted");
    for (let i = 0; i < others.length; i += 2) disc(others.subarray(i, i + 2), 2, fill);
    disc(last, 11, color("--page"));
    disc(last, 8, color("--line-1"));
  };
  whenColored(draw);
  return [canvas, x => {
    last = [...x];
    canvas.dataset.x = JSON.stringify(last);
    draw();
  }];
}

/** The scatter of codes with the point among them. */
class Plane {
  constructor(parent, space, point) {
    Object.assign(this, {space, point, ...space.plane});
    this.canvas = element("canvas", parent, {class: "plane", tabindex: 0, role: "application",
      "aria-roledescription": "two-dimensional slider", "aria-label": "The point in latent space; arrow keys move it"});
    this.where = element("output", parent, {class: "small", "aria-live": "polite"});
    element("p", parent, {class: "muted small keys"},
      "Drag the point, or focus the plane and press the arrow keys, with shift for larger steps.");
    this.codes = this.projected(floats(space.codes ?? space.draws));
    this.setView();
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    whenColored(() => this.redraw());
    point.listeners.push(() => this.draw());
  }

  /** Coordinates in the plane of codes that follow each other in one array. */
  projected(codes) {
    const {dim} = this.space;
    return Array.from({length: codes.length / dim}, (_, i) => this.project(codes.subarray(i * dim, (i + 1) * dim)));
  }

  project(z) {
    const from = Array.from(z, (value, i) => value - this.origin[i]);
    return this.axes.map(axis => dot(axis, from));
  }

  /** Latents at a place of the plane; across it, the point stays where it is. */
  embed(place) {
    const here = this.project(this.point.z);
    return this.axes.reduce((z, axis, i) => combine(z, axis, place[i] - here[i]), [...this.point.z]);
  }

  /** What is seen of the plane: nearly all codes, and where the prior is. */
  setView() {
    const ends = [0, 1].map(axis => {
      const sorted = this.codes.map(place => place[axis]).sort((a, b) => a - b);
      const at = share => sorted[Math.round(share * (sorted.length - 1))];
      return [Math.min(at(0.005), this.space.has_prior ? -2.5 : Infinity),
        Math.max(at(0.995), this.space.has_prior ? 2.5 : -Infinity)];
    });
    this.center = ends.map(([low, high]) => (low + high) / 2);
    this.half = 0.55 * Math.max(...ends.map(([low, high]) => high - low));
  }

  pixel([x, y]) {
    const size = this.canvas.width;
    return [size * (0.5 + (x - this.center[0]) / (2 * this.half)),
      size * (0.5 - (y - this.center[1]) / (2 * this.half))];
  }

  listen() {
    const {canvas} = this;
    const follow = event => {
      const box = canvas.getBoundingClientRect();
      const share = [(event.clientX - box.left) / box.width - 0.5, 0.5 - (event.clientY - box.top) / box.height];
      this.moveTo(share.map((value, i) => this.center[i] + 2 * this.half * Math.min(0.5, Math.max(-0.5, value))));
    };
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({preventScroll: true});
      follow(event);
    });
    canvas.addEventListener("pointermove", event => { if (canvas.hasPointerCapture(event.pointerId)) follow(event); });
    canvas.addEventListener("keydown", event => {
      const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
      if (!way) return;
      event.preventDefault();
      this.moveTo(combine(this.project(this.point.z), way, (event.shiftKey ? 0.1 : 0.02) * this.half));
    });
  }

  moveTo(place) {
    this.point.move(this.embed(place), this);
  }

  resize() {
    const size = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (!size || this.canvas.width === size) return;
    this.canvas.width = this.canvas.height = size;
    this.redraw();
  }

  /** Draws all that stays where it is anew, then the point. */
  redraw() {
    const {width} = this.canvas, {labels} = this.space, unit = width / 520;
    this.still = element("canvas", null, {width, height: width});
    const context = this.still.getContext("2d");
    context.fillStyle = color("--panel");
    context.fillRect(0, 0, width, width);
    if (this.space.has_prior) this.drawPrior(context, unit);
    const colors = Array.from({length: 10}, (_, i) => color(`--class-${i}`));
    context.globalAlpha = 0.75;
    this.codes.forEach((place, i) => {
      const [x, y] = this.pixel(place);
      context.fillStyle = labels ? colors[labels[i] % 10] : colors[0];
      context.fillRect(x - 1.4 * unit, y - 1.4 * unit, 2.8 * unit, 2.8 * unit);
    });
    context.globalAlpha = 1;
    this.drawMeans(context, unit);
    this.draw();
  }

  drawPrior(context, unit) {
    context.strokeStyle = color("--muted");
    context.lineWidth = unit;
    for (const deviations of [1, 2, 3]) {
      const [x, y] = this.pixel(this.project(new Float32Array(this.space.dim)));
      context.setLineDash([4 * unit, 4 * unit]);
      context.beginPath();
      context.arc(x, y, deviations * context.canvas.width / (2 * this.half), 0, 2 * Math.PI);
      context.stroke();
    }
    context.setLineDash([]);
  }

  /** Each class's name where the mean of its codes is. */
  drawMeans(context, unit) {
    context.font = `600 ${15 * unit}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 4 * unit;
    context.lineJoin = "round";
    for (const {name, code} of this.space.sets.filter(set => set.is_class)) {
      const [x, y] = this.pixel(this.project(code));
      context.strokeStyle = color("--page");
      context.strokeText(name, x, y);
      context.fillStyle = color("--ink");
      context.fillText(name, x, y);
    }
  }

  draw() {
    const {canvas} = this, context = canvas.getContext("2d"), unit = canvas.width / 520;
    if (!this.still) return;
    context.drawImage(this.still, 0, 0);
    const place = this.project(this.point.z), [x, y] = this.pixel(place);
    for (const [radius, fill] of [[9, "--page"], [7, "--ink"], [3, "--page"]]) {
      context.fillStyle = color(fill);
      context.beginPath();
      context.arc(x, y, radius * unit, 0, 2 * Math.PI);
      context.fill();
    }
    setText(this.where, this.names.map((name, i) => `${name}: ${hundredths(place[i])}`).join(", "));
  }
}

/** A slider for each of the latents that vary most. */
function addSliders(parent, space, point) {
  const shown = space.order.slice(0, MOST_SLIDERS).sort((a, b) => a - b);
  if (shown.length < space.dim) {
    element("p", parent, {class: "muted small"}, space.plane
      ? `The ${shown.length} of ${space.dim} latents whose codes vary most:`
      : `The first ${shown.length} of ${space.dim} latents:`);
  }
  const place = element("div", parent, {class: "sliders"});
  for (const latent of shown) {
    const reach = REACH * Math.max(space.std[latent], space.has_prior ? 1 : 0) || 1;
    const label = element("label", place, {}, `latent ${latent}`);
    const [min, max] = [space.mean[latent] - reach, space.mean[latent] + reach];
    const input = element("input", label, {type: "range", min, max,
      step: reach / 100, "aria-label": `latent ${latent}`});
    const output = element("output", label);
    input.addEventListener("input", () => point.move(point.z.with(latent, Number(input.value)), input));
    point.listeners.push((z, mover) => {
      if (mover !== input) input.value = z[latent];
      output.textContent = hundredths(z[latent]);
    });
  }
}

/** Where to go at once: draws, the mean, the means of sets. */
function addPlaces(parent, space, point) {
  const places = element("div", parent, {class: "controls", role: "group", "aria-label": "Places in latent space"});
  const draws = floats(space.draws), number = draws.length / space.dim;
  let next = 0;
  const go = (label, z, title) => {
    element("button", places, {type: "button", title}, label).addEventListener("click", () => point.move(z()));
  };
  go("random draw", () => {
    next = (next + 1) % number;
    return draws.subarray(next * space.dim, (next + 1) * space.dim);
  }, space.has_prior ? `the next of ${number} draws from the prior`
    : `the next of ${number} draws from a normal fitted to the codes`);
  go("mean", () => space.mean, space.codes ? "the mean of the training codes" : "the middle");
  for (const {name, code} of space.sets) go(name, () => code, `the mean code of training examples of “${name}”`);
}

/** A slider along the vector from one set's mean code to another's. */
function addConcept(parent, space, point) {
  const {sets} = space, first = Math.max(0, sets.findIndex(set => !set.is_class));
  if (sets.length < 2) return;
  const row = element("div", parent, {class: "controls", role: "group", "aria-label": "Along a concept vector"});
  const [source, target] = [["from", first], ["to", first + 1]].map(([word, chosen]) => {
    const select = element("select", element("label", row, {}, word), {"aria-label": `${word} the mean code of`});
    sets.forEach(({name}, i) => { element("option", select, {selected: i === chosen, value: i}, name); });
    return select;
  });
  const input = element("input", row, {type: "range", min: -1.5, max: 1.5, step: 0.01, value: 0,
    "aria-label": "how far along the concept vector"});
  const output = element("output", row, {}, "0");
  let base = point.z;
  input.addEventListener("input", () => {
    const vector = combine(sets[target.value].code, sets[source.value].code, -1);
    output.textContent = hundredths(Number(input.value));
    point.move(combine(base, vector, Number(input.value)), input);
  });
  const begin = () => { base = point.z; input.value = 0; output.textContent = "0"; };
  [source, target].forEach(select => select.addEventListener("change", begin));
  point.listeners.push((z, mover) => { if (mover !== input) begin(); });
}

function addLatentSpace(parent, space) {
  const point = new Point(space.codes ? space.mean : floats(space.draws).subarray(0, space.dim));
  const place = element("div", parent, {class: "latent"});
  addPicture(element("div", place, {class: "shown"}), space, point);
  if (space.plane) new Plane(element("div", place, {class: "where"}), space, point);
  const ways = element("div", place, {class: "ways"});
  addPlaces(ways, space, point);
  addConcept(ways, space, point);
  addSliders(space.dim > 2 && space.plane ? parent : ways, space, point);
  point.tell();
}
