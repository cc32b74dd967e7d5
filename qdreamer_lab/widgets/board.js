// The views of an explorer: draws the figures that come, tells what was clicked.
// It decides nothing, keeps no state that matters, and loads nothing from the network.

const PLOTLY = Symbol.for("qdreamer-lab.plotly");
const COMING = Symbol.for("qdreamer-lab.plotly.coming");
const LOADING = Symbol.for("qdreamer-lab.plotly.loading");
const ASK_AGAIN_MS = 4000;
const FIGURES = ["tradeoff", "circuit", "fragments", "timeline"];
const TITLES = {
  tradeoff: "Trade-off",
  circuit: "Circuit",
  fragments: "Fragments",
  timeline: "Timeline",
  numbers: "Numbers",
};
const CONFIG = {
  displaylogo: false,
  showSendToCloud: false,
  responsive: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"],
};
const LEGEND = { xref: "container", x: 0.01, yref: "container", y: 0.99, yanchor: "top" };
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

// ---- plotly.js, once per page

async function unpacked(buffer) {
  const stream = new Blob([buffer]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}

async function imported(plain) {
  // Inside a function of our own, neither RequireJS's `define` nor a page's `Plotly` is touched.
  const before = globalThis.Plotly;
  const source = [
    "const holder = { exports: {} };",
    "(function (module, exports, define) {",
    plain,
    "}).call(globalThis, holder, holder.exports, undefined);",
    "export default holder.exports;",
  ].join("\n");
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    const made = (await import(url)).default;
    if (before !== undefined) globalThis.Plotly = before;
    else delete globalThis.Plotly;
    return made;
  } finally {
    URL.revokeObjectURL(url);
  }
}

// The first board of a kernel brings it along, so that it is there and unpacked while the kernel
// still plans. To load it takes longer than all else on the way to the first view, and nothing can
// be shown meanwhile: that waits until still pictures are seen.
function initialize({ model }) {
  const bytes = model.get("library");
  if (bytes?.byteLength && !globalThis[PLOTLY]) globalThis[COMING] ??= unpacked(bytes);
}

async function plotly(model) {
  if (!globalThis[PLOTLY] && globalThis[COMING]) {
    globalThis[LOADING] ??= globalThis[COMING].then(imported);
    const made = await globalThis[LOADING].catch(() => undefined);
    globalThis[PLOTLY] ??= made;
  }
  return globalThis[PLOTLY] ?? asked(model);
}

function asked(model) {
  return new Promise((resolve, reject) => {
    const ask = () => model.send({ wants: "plotly" });
    const look = () => globalThis[PLOTLY] && done(globalThis[PLOTLY]);
    const timer = setInterval(() => look() || ask(), ASK_AGAIN_MS);
    const done = (made) => {
      clearInterval(timer);
      model.off("msg:custom", heard);
      resolve(made);
      return true;
    };
    const heard = async (message, buffers) => {
      if (message.do !== "plotly") return;
      try {
        globalThis[PLOTLY] ??= await imported(await unpacked(buffers[0]));
        done(globalThis[PLOTLY]);
      } catch (error) {
        clearInterval(timer);
        reject(error);
      }
    };
    model.on("msg:custom", heard);
    ask();
  });
}

// ---- the page's colours

function isDark(el) {
  for (let node = el; node; node = node.parentElement) {
    const colour = getComputedStyle(node).backgroundColor.match(/[\d.]+/g)?.map(Number);
    if (colour && (colour.length < 4 || colour[3] > 0.5)) {
      return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] < 128;
    }
  }
  return matchMedia("(prefers-color-scheme: dark)").matches && !document.body.dataset.jpThemeLight;
}

// ---- pieces of the page

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function panel(name, ...tools) {
  const heading = make("h3", {}, TITLES[name]);
  const body = make("div", { class: "qd-body" });
  const node = make("section", { class: `qd-panel qd-${name}`, "aria-label": TITLES[name] });
  node.append(make("header", {}, heading, ...tools), body);
  return { node, body, heading };
}

function chooser(label, hint, choices, told) {
  const select = make("select", { "aria-label": label, title: hint });
  for (const [value, text] of choices) select.append(make("option", { value }, text));
  select.addEventListener("change", () => told(select.value));
  return select;
}

function page(model) {
  const tell = (message) => model.send(message);
  const against = chooser(
    "Axes of the trade-off",
    "What the trade-off compares",
    [
      ["width", "time against width"],
      ["overhead", "time against overhead"],
      ["plans", "overhead against width"],
      ["workers", "CPU or GPU, by width"],
    ],
    (value) => tell({ against: value }),
  );
  const graph = chooser(
    "Form of the circuit",
    "The circuit with its wires and blocks (gates on two qubits, taken together), or which qubits are coupled",
    [
      ["circuit", "wires and blocks"],
      ["graph", "coupling graph"],
    ],
    (value) => tell({ graph: value === "graph" }),
  );
  const group = chooser(
    "Group of terms that is drawn",
    "Terms of the observables run in groups, each with its own cuts",
    [],
    (value) => tell({ group: Number(value) }),
  );
  const panels = {
    tradeoff: panel("tradeoff", against),
    circuit: panel("circuit", group, graph),
    fragments: panel("fragments"),
    timeline: panel("timeline"),
    numbers: panel("numbers"),
  };
  const caption = make("p", { class: "qd-caption", "aria-live": "polite" });
  panels.tradeoff.node.append(caption);
  const summary = make("p", { class: "qd-summary", "aria-live": "polite" });
  const explained = make("p", { class: "qd-explained" });
  const status = make("p", { class: "qd-status", role: "status" });
  const copy = make("button", { type: "button", title: "Copy the code" }, "Copy");
  const code = make("pre", { tabindex: "0", role: "region", "aria-label": "Python that does the same" });
  const codePanel = make(
    "section",
    { class: "qd-panel qd-code", "aria-label": "Code" },
    make("header", {}, make("h3", {}, "Code"), copy),
    code,
  );
  copy.addEventListener("click", () => {
    navigator.clipboard?.writeText(code.textContent);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });
  for (const name of FIGURES) panels[name].body.setAttribute("role", "figure");
  const grid = make("div", { class: "qd-grid" }, ...Object.values(panels).map((p) => p.node));
  const node = make("div", { class: "qd-board" }, status, summary, explained, codePanel, grid);
  return { node, panels, caption, status, summary, explained, code, codePanel, against, graph, group };
}

// ---- drawing

function figureOf(model, name) {
  const bytes = model.get(name);
  if (!bytes || !bytes.byteLength) return null;
  return JSON.parse(new TextDecoder().decode(bytes));
}

function fitted(layout) {
  const kept = { ...layout, autosize: true };
  delete kept.width;
  delete kept.height;
  const clear = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
  const legend = { ...kept.legend, ...LEGEND, font: { ...kept.legend?.font, size: 11 } };
  const annotations = kept.annotations?.map((one) => ({
    ...one,
    text: one.text.replace(LENGTHY, ""),
  }));
  return { ...kept, ...clear, legend, annotations };
}

function said(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function texts(model, parts, shown) {
  const options = model.get("options");
  said(parts.summary, model.get("summary"));
  said(parts.status, model.get("status"));
  said(parts.explained, model.get("explained"));
  said(parts.caption, model.get("caption"));
  parts.status.classList.toggle("qd-busy", Boolean(model.get("stamp").busy));
  if (shown.numbers !== model.get("numbers")) {
    shown.numbers = model.get("numbers");
    parts.panels.numbers.body.innerHTML = shown.numbers;
  }
  parts.node.classList.toggle("qd-graph", Boolean(options.graph));
  said(parts.code, model.get("code"));
  parts.codePanel.hidden = !model.get("code");
  parts.against.value = options.against ?? "width";
  parts.graph.value = options.graph ? "graph" : "circuit";
  const groups = options.groups ?? [];
  if (shown.groups !== groups.join("\n")) {
    shown.groups = groups.join("\n");
    parts.group.replaceChildren(...groups.map((name, k) => make("option", { value: k }, name)));
  }
  parts.group.hidden = groups.length < 2;
  parts.group.value = String(options.group ?? 0);
  const part = options.part && groups.length < 2 ? `: ${options.part}` : "";
  said(parts.panels.circuit.heading, (options.graph ? "Coupling" : "Circuit") + part);
  const alternatives = model.get("alternatives");
  for (const name of FIGURES) {
    parts.panels[name].body.setAttribute("aria-label", alternatives[name] ?? TITLES[name]);
  }
}

// In a panel a legend has room for one line or two.
const UNSAID = new Set(["selected", "pinned", "Pareto front"]);
const LENGTHY = /80 % interval /; // the summary has it too

function trimmed(data) {
  return data.map((trace) => {
    if (UNSAID.has(trace.name)) return { ...trace, showlegend: false };
    return { ...trace, name: trace.name?.replace(/^execution of /, "") };
  });
}

// Pictures of the figures, until what draws them is loaded.
function pictured(model, parts) {
  const stills = model.get("stills") ?? {};
  for (const name of FIGURES) {
    if (!stills[name]) continue;
    const still = make("div", { class: "qd-still" });
    still.innerHTML = stills[name];
    parts.panels[name].body.replaceChildren(still);
  }
  return FIGURES.some((name) => stills[name]);
}

async function drawn(Plotly, model, parts, shown) {
  const waiting = [];
  for (const name of FIGURES) {
    const bytes = model.get(name);
    if (shown[name] === bytes) continue;
    shown[name] = bytes;
    if (name === "tradeoff") shown.serial = model.get("stamp").serial;
    const figure = figureOf(model, name);
    const body = parts.panels[name].body;
    if (!figure) continue;
    const first = !body.querySelector(".main-svg");
    body.querySelector(":scope > .qd-still")?.remove();
    waiting.push(Plotly.react(body, trimmed(figure.data), fitted(figure.layout), CONFIG));
    if (first && name === "tradeoff") {
      body.on("plotly_click", (event) => {
        const data = event.points.map((point) => point.customdata).flat();
        const index = data.find((value) => Number.isInteger(value));
        if (index !== undefined) model.send({ click: index, serial: shown.serial });
      });
    }
  }
  await Promise.all(waiting);
}

// Names that screen readers need and the controls' own library does not give.
function named(el, hints) {
  const root = el.closest(".qd-explorer");
  for (const label of root?.querySelectorAll(".widget-inline-hbox > label") ?? []) {
    label.parentElement.title ||= hints[label.textContent] ?? "";
  }
  for (const handle of root?.querySelectorAll(".noUi-handle:not([aria-label])") ?? []) {
    const label = handle.closest(".widget-inline-hbox")?.querySelector("label");
    if (label) handle.setAttribute("aria-label", label.textContent);
  }
  for (const button of root?.querySelectorAll(".jupyter-button:not([aria-label])") ?? []) {
    button.setAttribute("aria-label", button.textContent.trim()); // its icon has no name
  }
  for (const box of root?.querySelectorAll(".widget-readout:not([aria-label])") ?? []) {
    const label = box.closest(".widget-inline-hbox")?.querySelector("label");
    if (!label) continue;
    box.setAttribute("role", "textbox"); // what cannot be typed into may have no name
    box.setAttribute("aria-label", `${label.textContent}, value`);
  }
}

// While no cell is edited, a notebook takes keys for itself: letters add and delete cells, arrows
// fold headings, and Notebook 7 takes them before the control has seen them. What is typed into the
// explorer is the explorer's, but for commands such as Ctrl+S, Escape, and Shift+Enter.
const SUPPRESSED = "data-lm-suppress-shortcuts"; // Lumino's mark; it looks for it at the target

function ownKeys(event) {
  const target = event.target;
  if (!target.closest?.(".qd-explorer")) return;
  const command = event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape";
  const running = event.shiftKey && event.key === "Enter";
  target.toggleAttribute(SUPPRESSED, !(command || running));
}

// ---- pictures and files

function saved(name, blob) {
  const link = make("a", { download: name, href: URL.createObjectURL(blob) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function composed(Plotly, parts, dark) {
  const gap = 12;
  const heading = 26;
  const width = parts.node.clientWidth;
  const ink = dark ? "#f0f0f0" : "#1a1a1a";
  let top = 44;
  const pieces = [];
  for (const name of FIGURES) {
    const body = parts.panels[name].body;
    const size = { width, height: Math.max(280, body.clientHeight) };
    const uri = await Plotly.toImage(body, { format: "svg", ...size });
    const inner = decodeURIComponent(uri.slice(uri.indexOf(",") + 1));
    const title = parts.panels[name].heading.textContent;
    pieces.push(
      `<text x="8" y="${top + 17}" font-weight="600">${title}</text>`,
      inner.replace("<svg ", `<svg x="0" y="${top + heading}" `),
    );
    top += heading + size.height + gap;
  }
  const words = document.createElement("span");
  words.textContent = parts.summary.textContent.slice(0, Math.floor(width / 7));
  const source =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
    `width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" ` +
    `font-family="${FONT}" font-size="14" fill="${ink}">` +
    `<rect width="100%" height="100%" fill="${dark ? "#111111" : "#ffffff"}"/>` +
    `<text x="8" y="26" font-size="13">${words.innerHTML}</text>${pieces.join("")}</svg>`;
  return { source, width, height: top };
}

async function png({ source, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = make("canvas", { width: 2 * width, height: 2 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * width, 2 * height);
  return await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

async function picture(Plotly, parts, message, dark) {
  const made = await composed(Plotly, parts, dark);
  const svg = new Blob([made.source], { type: "image/svg+xml" });
  saved(message.name, message.type === "svg" ? svg : await png(made));
}

// After what has been put on the page is on the screen; a page in the background has no frames.
function seen() {
  return new Promise((resolve) => {
    if (document.hidden) resolve();
    else requestAnimationFrame(() => setTimeout(resolve));
  });
}

// ---- the widget

function render({ model, el }) {
  const parts = page(model);
  el.append(parts.node);
  const shown = {};
  texts(model, parts, shown);
  let Plotly = null;
  let busy = Promise.resolve();
  let queued = false;
  let gone = false;

  const redraw = () => {
    if (queued || gone) return;
    queued = true;
    busy = busy.then(async () => {
      queued = false;
      const stamp = model.get("stamp");
      const live = Boolean(Plotly);
      texts(model, parts, shown);
      if (live) await drawn(Plotly, model, parts, shown);
      else if (!pictured(model, parts)) return;
      named(parts.node, model.get("hints"));
      requestAnimationFrame(() => {
        const what = live ? "qdreamer:update" : "qdreamer:still";
        performance.measure(what, { start: stamp.received ?? received, detail: stamp });
        if (live) parts.node.dataset.serial = stamp.serial ?? "";
      });
    });
  };
  let received = performance.now();
  const onStamp = () => {
    received = performance.now();
    redraw();
  };
  model.on("change:stamp", onStamp);

  let dark = null;
  const colours = () => {
    const now = isDark(parts.node);
    parts.node.classList.toggle("qd-dark", now);
    if (now !== dark) model.send({ dark: now });
    dark = now;
  };
  const watched = new MutationObserver(() => setTimeout(colours, 50));
  for (const node of [document.documentElement, document.body]) {
    watched.observe(node, { attributes: true });
  }
  let wide = 0;
  const sized = new ResizeObserver(() => {
    if (parts.node.clientWidth === wide) return; // the height follows from what is shown
    wide = parts.node.clientWidth;
    for (const name of FIGURES) {
      const body = parts.panels[name].body;
      if (Plotly && body.querySelector(".main-svg")) Plotly.Plots.resize(body);
    }
  });

  const done = (model.qdreamerDone ??= new Set());
  const heard = (message, buffers) => {
    if (message.do !== "download" && message.do !== "picture") return;
    if (done.has(message)) return; // another view of the same board has saved it
    done.add(message);
    if (message.do === "picture") loaded.then(() => busy).then(() => picture(Plotly, parts, message, dark));
    else saved(message.name, new Blob(buffers, { type: message.type }));
  };
  model.on("msg:custom", heard);

  window.addEventListener("keydown", ownKeys, true); // the same one for all: added once
  requestAnimationFrame(colours); // not before it is on the page
  if (!globalThis[PLOTLY]) redraw();
  const loaded = busy.then(seen).then(() => plotly(model)).then(
    (made) => {
      Plotly = made;
      model.send({ live: true });
      redraw();
      sized.observe(parts.node);
    },
    (error) => {
      parts.summary.textContent = `The figures cannot be drawn: ${error.message}`;
    },
  );

  return () => {
    gone = true;
    model.off("change:stamp", onStamp);
    model.off("msg:custom", heard);
    watched.disconnect();
    sized.disconnect();
    for (const name of FIGURES) Plotly?.purge(parts.panels[name].body);
  };
}

export default { initialize, render };
