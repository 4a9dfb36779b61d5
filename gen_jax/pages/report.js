// The sections of a run's page.

const join = parts => parts.filter(Boolean).join(", ");

function addHeader(run) {
  const header = find("header");
  element("h1", header, {}, run.name);
  if (run.unfinished) element("p", header, {class: "note warn", role: "status"}, run.unfinished);
  element("p", header, {}, run.headline);
  for (const {name, text} of run.sentences.filter(({name}) => name.endsWith("verdict"))) {
    const isIll = name.startsWith("health/") && !/^(healthy|unknown)/.test(text);
    element("p", header, {class: isIll ? "note warn" : "note"}, `${name}: ${text}`);
  }
  for (const line of run.best) element("p", header, {class: "muted"}, line);
  addTiles(header, run.table.filter(row => row.headline));
}

/** The headline numbers. */
function addTiles(parent, rows) {
  const tiles = element("dl", parent, {class: "tiles"});
  for (const row of rows) {
    const column = ["samples", "test", "train"].find(column => row.values[column]), {value} = row.values[column];
    const real = column === "samples" && row.values.test && `test examples reach ${words(row.values.test.value, 5)}`;
    const tile = element("div", tiles);
    element("dt", tile, {}, `${row.name}, ${column}`);
    element("dd", tile, {}, words(value, 5));
    element("dd", tile, {class: "small"}, join([row.unit, row.better && `${row.better} is better`, real]));
  }
  tiles.hidden = !rows.length;
}

function addTraining({curves}) {
  const place = section("Training");
  if (!curves.x.length) {
    element("p", place, {}, "Nothing is recorded yet.");
    return;
  }
  addCharts(place, curves);
  const notes = element("p", place, {class: "muted small"},
    `A ring marks the best record. ${count(curves.x.length)} records` +
    (curves.every > 1 ? `, every ${count(curves.every)}th of metrics.jsonl. ` : ". "));
  addDownload(notes, "metrics.csv", asTable(curves));
}

/** A slider over the pictures that were drawn during training. */
function addOverTime({over_time, curves, data}) {
  if (!over_time.length) return;
  const place = section("Samples over training");
  for (const {name, of, frames} of over_time) {
    const group = element("div", element("div", place, {class: "beside"}), {class: "over-time"});
    const controls = element("div", group, {class: "controls"});
    const label = element("label", controls, {style: "flex: 1 1 20rem"}, name);
    const input = element("input", label, {type: "range", min: 0, max: frames.length - 1, step: 1,
      "aria-label": `${name} by ${curves.unit}`});
    const output = element("output", controls, {"aria-live": "polite"});
    const image = element("img", group, {class: "pixels"});
    const show = () => {
      const {at, src} = frames[input.value], when = `${curves.unit} ${count(at)}`;
      input.setAttribute("aria-valuetext", when);
      setText(output, when);
      Object.assign(image, {src, alt: `${name} at ${when}`});
    };
    input.value = frames.length - 1;
    input.addEventListener("input", show);
    show();
    if (data.examples) addExamples(group.parentElement, data.examples, "for comparison");
    if (frames.length < of) element("p", group, {class: "muted small"},
      `${frames.length} of ${of} pictures; all are in samples/.`);
  }
}

function addLatent({latent}) {
  if (latent.decoder) addLatentSpace(section("Latent space"), latent);
  else if (latent.encodes) element("p", section("Latent space"), {}, `It cannot be played with here: ${latent.why}.`);
}

function addFigures({figures}) {
  if (!figures.length) return;
  const place = section("Figures");
  const grid = element("div", place, {class: "figures"});
  for (const {name, caption, src, file, href} of figures) {
    const figure = element("figure", grid), title = name.replaceAll("_", " ");
    if (src) element("img", figure, {src, alt: `${title}. ${caption}`});
    const text = element("figcaption", figure);
    element("b", text, {}, title);
    if (caption) text.append(`. ${caption}`);
    if (file) text.append(`${caption ? "" : "."} It is not in this page, for its size or its format: `,
      element("a", null, {href}, file));
  }
}

/** A number; where its protocol is known, a button that shows it in a row below, or takes it away. */
function numberCell(cell) {
  const {value, name, protocol} = cell;
  if (!protocol) return {text: words(value, 5), class: "number", title: `${name}: ${value}`};
  const button = element("button", null, {type: "button", class: "plain", "aria-expanded": false,
    title: `how ${name} was measured`}, words(value, 5));
  button.addEventListener("click", () => {
    const row = button.closest("tr"), isOpen = button.getAttribute("aria-expanded") === "true";
    row.querySelectorAll("button").forEach(other => other.setAttribute("aria-expanded", false));
    if (row.nextElementSibling?.matches(".protocol-row")) row.nextElementSibling.remove();
    if (!isOpen) row.after(protocolRow(cell, row.cells.length));
    button.setAttribute("aria-expanded", !isOpen);
  });
  return {node: button, class: "number"};
}

function protocolRow({value, name, protocol}, columns) {
  const row = element("tr", null, {class: "protocol-row"});
  addProtocol(element("td", row, {colspan: columns}), {number: name, value, ...protocol});
  return row;
}

function addNumbers({table, columns, sentences}) {
  const place = section("Numbers");
  if (!table.length) {
    element("p", place, {}, "Nothing is measured yet.");
    return;
  }
  const body = addTable(place, "All numbers", ["quantity", ...columns.map(text => ({text, class: "number"})), "unit",
    "better"]);
  for (const row of table) {
    const cells = columns.map(column => row.values[column] ? numberCell(row.values[column]) : "");
    addRow(body, [row.name, ...cells, {text: row.unit, class: "unit"}, row.better]);
  }
  if (table.some(row => Object.values(row.values).some(({protocol}) => protocol))) {
    element("p", place, {class: "muted small keys"},
      "Open a number for its protocol: what it was measured on, and how.");
  }
  for (const {name, text} of sentences.filter(({name}) => !name.endsWith("verdict"))) {
    element("p", place, {class: "small"}, `${name}: ${text}`);
  }
}

function addData({data}) {
  const place = section("Data");
  element("p", place, {}, join([data.name, `${count(data.train)} training examples`,
    data.test && `${count(data.test)} test examples`,
    data.kind && `of kind ${data.kind}`]));
  element("p", place, {class: "small muted"}, "fingerprint ").append(element("code", null, {}, data.fingerprint));
  if (data.classes.length) {
    const classes = data.classes.map(([name, number]) => number == null ? name : `${name} (${count(number)})`);
    element("p", place, {class: "small"}, `classes: ${classes.join(", ")}`);
  }
  if (data.missing) element("p", place, {class: "note warn"},
    `The data were not at hand when this page was written: ${data.missing}`);
  if (data.examples) addExamples(place, data.examples, data.classes.length ? "of each class as many as its share" : "");
}

function addExamples(parent, {src, num}, about) {
  const figure = element("figure", parent, {class: "examples"});
  element("img", figure, {class: "pixels", src, alt: `${num} training examples`});
  element("figcaption", figure, {}, join([`${num} training examples`, about]));
}

function addSettings({settings}) {
  const place = section("Settings");
  const different = settings.filter(row => row.differs).length;
  const controls = element("div", place, {class: "controls"});
  const box = element("input", element("label", controls), {type: "checkbox"});
  box.after(` show all ${settings.length} settings`);
  element("span", controls, {class: "muted"}, `${different} differ from the defaults, or name a part`);
  const body = addTable(element("div", place, {class: "settings"}), "Settings",
    ["setting", "value", "default", "meaning"]);
  const rows = settings.map(({key, value, meaning, differs, default: usual}) => [differs, addRow(body, [
    key, {text: value, class: "value"}, {text: usual ?? "", class: "value muted"},
    {text: meaning, class: "muted meaning"}],
  {class: differs ? "differs" : null})]);
  const show = () => rows.forEach(([differs, row]) => { row.hidden = !differs && !box.checked; });
  box.addEventListener("change", show);
  show();
}

function addReproduce({launches, config, result, data}) {
  const place = section("Reproduce");
  const last = launches.at(-1);
  if (last) {
    const commit = last.git?.commit;
    const lines = [commit && `git checkout ${commit}`, ...new Set(launches.map(launch => launch.command))]
      .filter(Boolean);
    element("pre", place, {}, lines.join("\n"));
    if (!commit) element("p", place, {class: "note warn"}, "The code was in no git checkout: its commit is not known.");
    if (last.git?.changed) element("p", place, {class: "note warn"},
      "The checkout had changes that were not committed: the commit alone is not the code that ran.");
    const body = addTable(place, "Launches", ["launched", "device", "python", "packages", "platform"]);
    for (const {time = "", device, python = "", packages = {}, platform = ""} of launches) {
      const versions = Object.entries(packages).map(parts => parts.join(" ")).join(", ");
      addRow(body, [time, join([device?.kind, device?.count > 1 && `${device.count} of them`]), python,
        {text: versions, class: "packages"}, platform]);
    }
  }
  const proof = element("p", place, {class: "small"});
  if (result.state_sha256) {
    proof.append("With the same packages on the same platform the state after step ", count(result.step),
      " has the sha256 ", element("code", null, {}, result.state_sha256), ", and the data the fingerprint ",
      element("code", null, {}, data.fingerprint), ". ");
  }
  addDownload(place, "config.json", config);
}

function addLab({lab}) {
  if (!lab) return;
  const place = section("Playback");
  if (lab.html) element("iframe", place, {title: "Training, played back", srcdoc: lab.html, sandbox: "allow-scripts"});
  else element("p", place).append("Training is played back in ", element("a", null, {href: lab.file}, lab.file), ".");
}

addHeader(content);
addLab(content);
addTraining(content);
addOverTime(content);
addLatent(content);
addFigures(content);
addNumbers(content);
addData(content);
addSettings(content);
addReproduce(content);
document.body.dataset.ready = true;
