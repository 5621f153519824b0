// What is said beside the graph: of a node, of a stage, of a kernel.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const section = (title, ...children) => [element("h3", {}, title), ...children];
const list = (items) => element("ul", {}, ...items.map((item) => element("li", {}, item)));

function amount(value, unit) {
  if (value === undefined || value === null) return "?";
  for (const [size, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= size) return `${(value / size).toPrecision(3)} ${letter}${unit}`;
  }
  return `${Number(value.toPrecision(3))} ${unit}`;
}

function duration(seconds) {
  // A step that is only another look at memory takes none.
  if (seconds === undefined) return "0 ns";
  if (seconds >= 1) return `${seconds.toPrecision(3)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toPrecision(3)} ms`;
  return seconds >= 1e-6 ? `${(seconds * 1e6).toPrecision(3)} µs` : `${(seconds * 1e9).toFixed(0)} ns`;
}

function counted(number, thing) {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

class Pane {
  constructor(place, data, app) {
    this.place = place;
    this.data = data;
    this.app = app;
  }

  show(...children) {
    this.place.replaceChildren(...children.flat(2).filter(Boolean));
    this.place.scrollTop = 0;
  }

  link(number) {
    const node = this.data.nodes[number];
    return element("button", { onclick: () => this.app.reveal(number) }, `${node.label}: ${node.types.join(", ")}`);
  }

  stage(stage) {
    const rules = stage.rules.map((rule) => element("div", {},
      element("button", { onclick: () => this.app.light(rule.made), title: "Show what it made" }, `${rule.count} × ${rule.name}`),
      element("div", { class: "soft" }, rule.why),
      element("div", { class: "soft" }, `e.g. ${rule.example}`)));
    this.show(
      element("h2", {}, stage.name.replaceAll("_", " ")),
      element("p", { class: "soft" }, stage.why),
      element("p", {}, `${this.app.model.everything().size} nodes${this.app.model.boxes.some((box) => box.isNew) ? "; outlined: what is new" : ""}`),
      rules.length ? section("Rules of this pass", list(rules)) : [],
      this.app.model.last ? this.steps() : [],
      this.app.model.last && Roofline.fits(this.data)
        ? section("Against what this machine can do", element("canvas", { id: "roofline" })) : [],
    );
    const canvas = document.getElementById("roofline");
    if (canvas) new Roofline(canvas, this.data, this.app).draw();
  }

  steps() {
    const { steps, profile } = this.data;
    if (!steps) return [];
    const rows = steps.map((step, k) => [step, k]);
    if (profile) rows.sort((one, two) => (two[0].seconds ?? 0) - (one[0].seconds ?? 0));
    const items = rows.slice(0, 24).map(([step, k]) => {
      const last = this.data.nodes[step.nodes[step.nodes.length - 1]];
      const time = profile ? `${duration(step.seconds)}  ` : "";
      return element("button", { onclick: () => this.app.reveal(step.nodes[0]) }, `${time}${k}: ${last ? last.label : "?"}${step.nodes.length > 1 ? ` + ${step.nodes.length - 1}` : ""}`);
    });
    const total = profile ? `, ${counted(profile.calls, "call")} of ${duration(profile.seconds / Math.max(1, profile.calls))}` : "";
    return section(`Steps of a call${total}`, list(items));
  }

  box(box) {
    if (box.kind === "kernel") return this.kernel(box);
    const number = box.number === undefined ? box.shows : box.number;
    const node = this.data.nodes[number];
    const users = this.app.model.order.filter((n) => this.data.nodes[n].inputs.some((r) => numberOf(r) === number));
    const rule = this.app.model.ruleOf.get(number);
    this.show(
      element("h2", {}, box.kind === "output" ? `${box.title}: ${node.label}` : node.label),
      element("div", { class: "soft" }, node.kind),
      node.text !== node.label ? element("pre", {}, node.text) : [],
      section(node.types.length > 1 ? "Results" : "Type", list(node.types.map((type, k) =>
        node.names && node.names[k] ? `${node.names[k]}: ${type}` : type))),
      rule ? section("Made by the rule", element("div", {}, rule.name), element("div", { class: "soft" }, rule.why)) : [],
      this.source(node.source),
      node.inputs.length ? section("Inputs", list(node.inputs.map((r) => this.link(numberOf(r))))) : [],
      users.length ? section("Used by", list(users.slice(0, 30).map((n) => this.link(n)))) : [],
      this.app.model.last && box.step !== undefined ? this.step(box.step) : [],
    );
  }

  kernel(box) {
    const sources = [...new Set(box.members.map((n) => this.data.nodes[n].source))].filter((s) => s >= 0);
    this.show(
      element("h2", {}, `Step ${box.step}`),
      element("p", {}, `${box.members.length} operations in one loop`),
      this.step(box.step),
      section("Operations", list(box.members.map((n) => this.link(n)))),
      sources.map((s) => this.source(s)),
    );
  }

  step(number) {
    const step = this.data.steps[number], rows = [];
    const row = (name, value) => rows.push(element("tr", {}, element("th", {}, name), element("td", {}, value)));
    if (step.seconds !== undefined) {
      row("time", `${duration(step.seconds)} in ${counted(step.calls_made, "call")}`);
      if (step.bytes) row("bytes", `${amount(step.bytes, "B")}, ${amount(step.bytes / step.seconds, "B/s")}${this.share(step.bytes / step.seconds, "bytes_per_second", "B/s")}`);
      if (step.operations) row("operations", `${amount(step.operations, "")}, ${amount(step.operations / step.seconds, "FLOP/s")}${step.calls.includes("BLAS") ? this.share(step.operations / step.seconds, "operations_per_second", "FLOP/s") : ""}`);
      if (step.threads > 1) row("threads", `${step.threads.toFixed(2)} on average, ${Math.round((100 * step.waiting) / step.seconds)} % of the time waiting for others`);
      for (const [name, seconds] of step.inside) row(`within: ${name}`, `${duration(seconds)}, ${Math.round((100 * seconds) / step.seconds)} %`);
    }
    if (step.memory) row("memory it allocates", amount(step.memory, "B"));
    if (step.calls.length) row("calls", step.calls.join(", "));
    const kernels = step.kernels.map((k) => element("button", { onclick: () => this.app.code(k) }, `kernel ${k} (${this.data.kernels[k].name}): loop, LLVM, assembly`));
    return section(`In a call: step ${number}`, element("table", {}, ...rows), list(kernels));
  }

  share(rate, limit, unit) {
    const most = this.data.limits && this.data.limits[limit];
    return most ? ` (${Math.round((100 * rate) / most)} % of the ${amount(most, unit)} of this machine)` : "";
  }

  source(number) {
    if (number < 0 || number === undefined) return [];
    const [fileNumber, line, start, end, name] = this.data.sources[number];
    const file = this.data.files[fileNumber];
    const place = `${file.name}:${line}, in ${name}`;
    const rows = [];
    for (let n = line - 5; n <= line + 5; n++) {
      const text = file.lines[n];
      if (text === undefined) continue;
      const here = n === line;
      const marked = here && start >= 0
        ? [text.slice(0, start), element("mark", {}, text.slice(start, end)), text.slice(end)]
        : [text];
      rows.push(element("div", here ? { class: "here" } : {}, element("span", { class: "number" }, String(n)), ...marked));
    }
    return section("Written at", element("div", { class: "soft" }, place),
      rows.length ? element("div", { class: "source" }, ...rows) : "");
  }

  line(number) {
    if (number === undefined || number < 0) return "";
    const [file, line] = this.data.sources[number];
    const text = this.data.files[file].lines[line];
    return `\n${this.data.files[file].name.split("/").pop()}:${line}${text ? `  ${text.trim()}` : ""}`;
  }
}
