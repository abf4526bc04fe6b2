// The graph as a picture: forces lay it out, the same way each time; it is moved by pointer, wheel and keys.

const SVG = "http://www.w3.org/2000/svg";
const ROUNDS = 260;
const APART = 90; // units between nodes that have an edge
const NAMED = 24; // nodes whose names always show
const LONGEST = 34; // letters of a name
const ZOOMS = { in: 1 / 1.35, out: 1.35 };
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const svg = document.getElementById("graph");
const { nodes, edges } = JSON.parse(document.getElementById("graph-data").textContent);

function element(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Give each node a place: all push each other away, edges pull, everything leans to the middle. */
function layOut() {
  nodes.forEach((node, place) => { // a sunflower's seeds: nobody starts where another one is
    const angle = place * 2.399963;
    const far = 30 * Math.sqrt(place);
    Object.assign(node, { x: far * Math.cos(angle), y: far * Math.sin(angle) });
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    const heat = 14 * (1 - round / ROUNDS);
    for (const node of nodes) Object.assign(node, { dx: -node.x * 0.03, dy: -node.y * 0.03 });
    nodes.forEach((one, place) => {
      for (const other of nodes.slice(place + 1)) {
        const [x, y] = [one.x - other.x, one.y - other.y];
        const push = (APART * APART) / Math.max(x * x + y * y, 1) / 2;
        one.dx += x * push * 0.1;
        one.dy += y * push * 0.1;
        other.dx -= x * push * 0.1;
        other.dy -= y * push * 0.1;
      }
    });
    for (const [source, target, , weight] of edges) {
      const [one, other] = [nodes[source], nodes[target]];
      const [x, y] = [other.x - one.x, other.y - one.y];
      const length = Math.max(Math.hypot(x, y), 1);
      const pull = ((length - APART) / length) * 0.12 * (0.4 + weight);
      one.dx += x * pull;
      one.dy += y * pull;
      other.dx -= x * pull;
      other.dy -= y * pull;
    }
    for (const node of nodes) {
      const length = Math.max(Math.hypot(node.dx, node.dy), 1e-6);
      const step = Math.min(length, heat) / length;
      node.x += node.dx * step;
      node.y += node.dy * step;
    }
  }
}

function draw() {
  const most = Math.max(...nodes.map((node) => node.importance)) || 1;
  const named = new Set([...nodes].sort((a, b) => a.depth - b.depth || b.importance - a.importance).slice(0, NAMED));
  const around = new URLSearchParams(location.search).has("center");
  svg.append(element("defs", {}, element("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto" },
    element("path", { d: "M0 0 8 4 0 8Z", class: "arrow" }))));
  for (const node of nodes) node.r = 6 + 12 * Math.sqrt(node.importance / most);
  for (const [source, target, kind] of edges) {
    const [one, other] = [nodes[source], nodes[target]];
    const length = Math.max(Math.hypot(other.x - one.x, other.y - one.y), 1);
    const short = 1 - (other.r + 3) / length; // the arrow ends at the rim
    const line = element("line", { class: "edge", "data-kind": kind, x1: one.x, y1: one.y, x2: one.x + (other.x - one.x) * short, y2: one.y + (other.y - one.y) * short });
    if (kind === "cites") line.setAttribute("marker-end", "url(#arrow)");
    line.dataset.ends = `${source} ${target}`;
    svg.append(line);
  }
  nodes.forEach((node, place) => {
    const name = node.title.length > LONGEST ? `${node.title.slice(0, LONGEST - 1)}…` : node.title;
    const link = element("a", { class: "node", href: `/ui/resources/${node.id}`, "aria-label": node.title, transform: `translate(${node.x} ${node.y})` },
      element("circle", { r: node.r }), element("text", { y: node.r + 3, dy: "1em" }));
    link.lastChild.textContent = name;
    link.toggleAttribute("data-named", named.has(node));
    link.toggleAttribute("data-center", around && node.depth === 0);
    link.dataset.place = place;
    svg.append(link);
  });
}

const view = { x: 0, y: 0, width: 100, height: 100 };

function show() {
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  svg.style.setProperty("--unit", Math.max(view.width / svg.clientWidth, view.height / svg.clientHeight)); // names keep their size
}

function showAll() {
  const [xs, ys] = [nodes.map((node) => node.x), nodes.map((node) => node.y)];
  const [left, top] = [Math.min(...xs) - 110, Math.min(...ys) - 50];
  Object.assign(view, { x: left, y: top, width: Math.max(...xs) + 110 - left, height: Math.max(...ys) + 60 - top });
  show();
}

/** Zoom by a factor; what is at (x, y), in units of the picture, stays where it is. */
function zoom(factor, x = view.x + view.width / 2, y = view.y + view.height / 2) {
  const width = view.width * factor;
  if (width < 60 || width > 20_000) return;
  Object.assign(view, { x: x - (x - view.x) * factor, y: y - (y - view.y) * factor, width, height: view.height * factor });
  show();
}

function move(x, y) {
  view.x += x;
  view.y += y;
  show();
}

function at(event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
}

svg?.addEventListener("wheel", (event) => {
  event.preventDefault();
  const { x, y } = at(event);
  zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 250), x, y);
}, { passive: false });

let held = null;
let moved = false;

svg?.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  held = at(event);
  moved = false;
});
addEventListener("pointermove", (event) => {
  if (!held) return;
  const now = at(event);
  if (!moved && Math.hypot(now.x - held.x, now.y - held.y) < view.width / 200) return;
  moved = true;
  move(held.x - now.x, held.y - now.y);
});
addEventListener("pointerup", () => { held = null; });
addEventListener("pointercancel", () => { held = null; });
svg?.addEventListener("click", (event) => moved && event.preventDefault(), true); // a drag opens nothing
svg?.addEventListener("dragstart", (event) => event.preventDefault());

svg?.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in MOVES) {
    const [x, y] = MOVES[event.key];
    move((x * view.width) / 10, (y * view.height) / 10);
  } else if (event.key === "+" || event.key === "=") zoom(ZOOMS.in);
  else if (event.key === "-") zoom(ZOOMS.out);
  else if (event.key === "0") showAll();
  else return;
  event.preventDefault();
});

for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => (button.dataset.zoom === "all" ? showAll() : zoom(ZOOMS[button.dataset.zoom])));
}

/** Let the edges of a node stand out. */
function near(place) {
  for (const edge of svg.querySelectorAll(".edge")) edge.toggleAttribute("data-near", edge.dataset.ends.split(" ").includes(place));
}

for (const [enters, leaves] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
  svg?.addEventListener(enters, (event) => near(event.target.closest(".node")?.dataset.place));
  svg?.addEventListener(leaves, () => near(undefined));
}
svg?.addEventListener("focusin", (event) => { // who tabs to a node sees it
  const node = nodes[event.target.closest(".node")?.dataset.place];
  if (!node) return;
  const outside = node.x < view.x || node.x > view.x + view.width || node.y < view.y || node.y > view.y + view.height;
  if (outside) move(node.x - view.x - view.width / 2, node.y - view.y - view.height / 2);
});

if (svg) {
  layOut();
  draw();
  showAll();
}
