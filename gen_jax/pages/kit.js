// What every page needs: its content, elements, words for numbers, sections, tables.

const find = selector => document.querySelector(selector);
const SVG = new Set(["svg", "path", "line", "text", "circle", "g", "rect", "title"]);

function element(name, parent, attributes = {}, text = "") {
  const namespace = SVG.has(name) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const made = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value != null && value !== false) made.setAttribute(key, value);
  }
  if (text !== "") made.textContent = text;
  parent?.append(made);
  return made;
}

/** Does nothing where the text is there already: a screen reader would say it again. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
const floats = text => new Float32Array(bytes(text).buffer);

const count = number => number.toLocaleString("en").replace("-", "−");

/** A number with so many significant digits. */
function words(number, digits = 4) {
  if (number == null) return "–";
  if (Number.isInteger(number) && Math.abs(number) < 1e7) return count(number);
  const size = Math.abs(number);
  const plain = size >= 1e-3 && size < 1e7;
  const text = plain ? Number(number.toPrecision(digits)).toLocaleString("en", {maximumFractionDigits: 9})
    : number.toExponential(Math.max(1, digits - 2));
  return text.replaceAll("-", "−");
}

/** A section with a heading, and a link to it. */
function section(title) {
  const id = title.toLowerCase().replaceAll(/\W+/g, "-");
  const made = element("section", find("main"), {id, "aria-labelledby": `${id}-title`});
  element("h2", made, {id: `${id}-title`}, title);
  element("a", find("nav"), {href: `#${id}`}, title);
  return made;
}

/** A row of cells: a text each, or {text, class, node}. The first is the row's heading. */
function addRow(body, cells, attributes = {}) {
  const row = element("tr", body, attributes);
  cells.forEach((cell, i) => {
    const {text = "", node, ...rest} = typeof cell === "object" ? cell : {text: cell};
    const made = element(i ? "td" : "th", row, {scope: i ? null : "row", ...rest}, text);
    if (node) made.append(node);
  });
  return row;
}

/** An empty table; returns its body. columns: texts, or {text, class}. look: a class of the table. */
function addTable(parent, label, columns, look = null) {
  const scroll = element("div", parent, {class: "scroll", tabindex: 0, role: "group", "aria-label": label});
  const table = element("table", scroll, {class: look});
  const head = element("tr", element("thead", table));
  for (const column of columns) {
    const {text, ...rest} = typeof column === "object" ? column : {text: column};
    element("th", head, {scope: "col", ...rest}, text);
  }
  return element("tbody", table);
}

/** A list of how a number was measured. */
function addProtocol(parent, protocol) {
  const list = element("dl", parent, {class: "protocol"});
  for (const [key, what] of Object.entries(protocol)) {
    element("dt", list, {}, key);
    element("dd", list, {}, typeof what === "object" ? JSON.stringify(what) : String(what));
  }
}

/** A link that saves text as a file. */
function addDownload(parent, name, text, label = `Download ${name}`) {
  return element("a", parent, {class: "button", download: name,
    href: `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`},
    label);
}

const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Calls draw now, and whenever the colours of the page change. */
function whenColored(draw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  for (const [event, printing] of [["beforeprint", true], ["afterprint", false]]) {
    addEventListener(event, () => {
      document.documentElement.toggleAttribute("data-printing", printing);
      draw();
    });
  }
  draw();
}

const content = JSON.parse(find("#content").textContent);
