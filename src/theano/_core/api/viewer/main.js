// Puts the page together: controls, keys, and what belongs to a choice.

const byId = (id) => document.getElementById(id);

class App {
  constructor(data) {
    this.data = data;
    const ruler = document.createElement("canvas").getContext("2d");
    ruler.font = BOLD;
    this.model = new Model(data, (text) => ruler.measureText(text).width);
    this.view = new View(byId("canvas"), this.model);
    this.pane = new Pane(byId("pane"), data, this);
    this.stageNumber = data.stages.length - 1;
    this.found = [];
    this.foundAt = -1;
    byId("title").textContent = data.title;
    document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    this.controls();
    this.keys();
    this.pointer();
    this.model.show(this.stageNumber);
    if (this.model.everything().size <= OPEN_AT_FIRST) this.model.openAll();
    this.stage(this.stageNumber);
    this.view.resize();
    this.view.fit();
    this.memory = data.memory ? new Strip(byId("strip"), data.memory, this) : null;
    new ResizeObserver(() => this.view.resize()).observe(byId("drawing"));
  }

  // -- what is shown ------------------------------------------------------------------------------

  stage(number) {
    const last = this.data.stages.length - 1 + this.data.programs.length;
    number = Math.max(0, Math.min(last, number));
    this.stageNumber = number;
    const graphs = this.data.stages.length, graph = Math.min(number, graphs - 1);
    const program = number >= graphs ? number - graphs : -1;
    const stage = program >= 0 ? this.data.programs[program] : this.data.stages[graph];
    byId("stage").value = number;
    byId("stage-name").textContent = `${number + 1} of ${last + 1}: ${stage.name.replaceAll("_", " ")}`;
    byId("stage-why").textContent = stage.why;
    byId("stages").hidden = last === 0;
    this.view.selected = null;
    this.again(graph);
    this.view.fit();
    this.pane.stage(this.data.stages[graph]);
    if (program >= 0) this.program(program);
    else byId("drawer").hidden = true;
  }

  // Lays the stage out once more; a box that stays keeps its place on the canvas.
  again(graph = Math.min(this.stageNumber, this.data.stages.length - 1), keep = null) {
    const before = keep && this.model.boxes.find((box) => box.key === keep);
    const selected = this.view.selected && this.view.selected.key;
    this.model.show(graph);
    const after = keep && this.model.boxes.find((box) => box.key === keep);
    if (before && after) this.view.move((before.x - after.x) * this.view.scale, (before.y - after.y) * this.view.scale);
    this.view.selected = this.model.boxes.find((box) => box.key === selected) || null;
    this.colour();
    this.match();
    this.view.request();
  }

  select(box) {
    this.view.selected = box;
    if (box) this.pane.box(box);
    else this.pane.stage(this.model.stage);
    this.view.request();
  }

  toggle(box) {
    if (!box || !box.opens) return;
    const { opened } = this.model;
    if (!opened.delete(box.key)) opened.add(box.key);
    this.again(undefined, box.key);
  }

  reveal(number) {
    const way = this.model.wayTo(number);
    if (!way) return;
    const closed = way.filter((key) => !this.model.opened.has(key));
    if (closed.length) {
      closed.forEach((key) => this.model.opened.add(key));
      this.again();
    }
    const box = this.model.boxes.find((each) => each.number === number);
    if (!box) return;
    this.select(box);
    this.view.centre(box);
  }

  light(numbers) {
    const wanted = new Set(numbers);
    this.view.matches = new Set(this.model.boxes
      .filter((box) => wanted.has(box.number) || (box.members || []).some((n) => wanted.has(n)))
      .map((box) => box.key));
    this.view.request();
  }

  // -- search -------------------------------------------------------------------------------------

  search(text) {
    const wanted = text.trim().toLowerCase();
    this.foundAt = -1;
    // What is called so comes before what a line with the text has made.
    const called = [], made = [];
    for (const n of wanted ? this.model.everything() : []) {
      const node = this.data.nodes[n];
      const has = (...words) => words.join("\n").toLowerCase().includes(wanted);
      if (has(node.text, node.label, ...node.types, ...(node.names || []))) called.push(n);
      else if (has(this.pane.line(node.source))) made.push(n);
    }
    this.found = [...called, ...made];
    byId("found").textContent = wanted ? `${this.found.length} found` : "";
    this.match();
    this.view.request();
  }

  match() {
    this.light(this.found);
  }

  next() {
    if (!this.found.length) return;
    this.foundAt = (this.foundAt + 1) % this.found.length;
    byId("found").textContent = `${this.foundAt + 1} of ${this.found.length}`;
    this.reveal(this.found[this.foundAt]);
  }

  // -- colours ------------------------------------------------------------------------------------

  colour() {
    const name = byId("colour").value, legend = byId("legend");
    const steps = this.data.steps || [];
    if (name === "kind" || !steps.some((step) => step[name])) {
      this.view.colourOf = null;
      const kinds = [...new Set(this.model.boxes.map((box) => box.kind))];
      legend.replaceChildren(...kinds.map((kind) =>
        element("span", { style: `background: ${COLOURS[kind] || "#ddd"}` }, kind)));
      return;
    }
    const most = Math.max(...steps.map((step) => step[name] || 0));
    const value = (box) => (this.model.last && box.step !== undefined ? steps[box.step][name] || 0 : 0);
    this.view.colourOf = (box) => heat(value(box) / most);
    const text = (share) => (name === "seconds" ? duration(share * most) : amount(share * most, "B"));
    legend.replaceChildren(...[0.01, 0.1, 0.5, 1].map((share) =>
      element("span", { style: `background: ${heat(share)}` }, text(share))));
  }

  theme(name) {
    document.documentElement.dataset.theme = name;
    this.view.request();
    if (this.memory) this.memory.draw();
  }

  // -- code ---------------------------------------------------------------------------------------

  code(number) {
    const kernel = this.data.kernels[number];
    this.tabs([["loop", kernel.loop], ["LLVM", kernel.llvm], ["assembly", kernel.assembly]], `kernel ${number}`);
  }

  program(number = this.data.programs.length - 1) {
    if (!this.data.programs.length) return;
    this.tabs(this.data.programs.map(({ name, text }) => [name, text]), "program", number, true);
  }

  tabs(texts, title, chosen = 0, compared = false) {
    const show = (k) => {
      [...byId("tabs").querySelectorAll("[role=tab]")].forEach((tab, i) => tab.setAttribute("aria-selected", i === k));
      const before = compared && k > 0 ? new Set(texts[k - 1][1].split("\n")) : null;
      byId("code").replaceChildren(...texts[k][1].split("\n").map((line) =>
        before && !before.has(line) ? element("span", { class: "new" }, `${line}\n`) : `${line}\n`));
    };
    byId("tabs").replaceChildren(
      element("b", {}, title),
      ...texts.map(([name], k) => element("button", { role: "tab", onclick: () => show(k) }, name)),
      element("button", { class: "close", "aria-label": "Close", onclick: () => { byId("drawer").hidden = true; } }, "×"),
    );
    byId("drawer").hidden = false;
    show(chosen);
  }

  // -- controls -----------------------------------------------------------------------------------

  controls() {
    const on = (id, event, act) => byId(id).addEventListener(event, act);
    byId("stage").max = this.data.stages.length - 1 + this.data.programs.length;
    on("stage", "input", (event) => this.stage(Number(event.target.value)));
    on("before", "click", () => this.stage(this.stageNumber - 1));
    on("after", "click", () => this.stage(this.stageNumber + 1));
    on("search", "input", (event) => this.search(event.target.value));
    on("search", "keydown", (event) => {
      if (event.key === "Enter") this.next();
      if (event.key === "Escape") byId("canvas").focus();
    });
    on("colour", "change", () => { this.colour(); this.view.request(); });
    on("constants", "change", (event) => { this.model.constants = event.target.checked; this.again(); });
    on("expand", "click", () => this.all(true));
    on("collapse", "click", () => this.all(false));
    on("fit", "click", () => this.view.fit());
    on("program", "click", () => this.program());
    on("theme", "click", () => this.theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
    on("help", "click", () => byId("keys").showModal());
    byId("program").hidden = !this.data.programs.length;
    for (const option of byId("colour").options) {
      option.disabled = option.value !== "kind" && !(this.data.steps || []).some((step) => step[option.value]);
    }
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
  }

  all(open) {
    this.model.opened.clear();
    if (open) this.model.openAll();
    this.again();
    this.view.fit();
  }

  // On paper everything is seen, dark on white.
  print(begins) {
    if (begins) {
      const { scale, x, y } = this.view;
      this.kept = { scale, x, y, theme: document.documentElement.dataset.theme };
      this.theme("light");
      this.view.fineness = 4;
      this.view.fit();
      this.view.resize();
    } else if (this.kept) {
      const { theme, ...place } = this.kept;
      Object.assign(this.view, place, { fineness: 0 });
      this.theme(theme);
      this.view.resize();
    }
  }

  keys() {
    const go = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [1, 0], ArrowRight: [-1, 0] };
    const act = {
      "+": () => this.view.zoom(1.25), "=": () => this.view.zoom(1.25), "-": () => this.view.zoom(0.8),
      f: () => this.view.fit(), 0: () => this.view.fit(), e: () => this.all(true), c: () => this.all(false),
      "[": () => this.stage(this.stageNumber - 1), "]": () => this.stage(this.stageNumber + 1),
      "/": () => byId("search").focus(), n: () => this.next(), p: () => this.program(),
      t: () => byId("theme").click(), "?": () => byId("keys").showModal(),
      Enter: () => this.toggle(this.view.selected),
      Escape: () => { byId("drawer").hidden = true; this.select(null); },
    };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
      if (["INPUT", "SELECT", "BUTTON"].includes(event.target.tagName) && event.target.id !== "stage") return;
      if (go[event.key]) this.arrow(event.key, ...go[event.key]);
      else if (act[event.key]) act[event.key]();
      else return;
      event.preventDefault();
    });
  }

  arrow(key, dx, dy) {
    const { selected } = this.view;
    if (!selected) {
      this.view.move(60 * dx, 60 * dy);
      return;
    }
    const { edges, boxes } = this.model;
    let found = null;
    if (key === "ArrowUp") found = edges.find((edge) => edge.to === selected)?.from;
    else if (key === "ArrowDown") found = edges.find((edge) => edge.from === selected)?.to;
    else {
      const side = boxes.filter((box) => box !== selected && Math.abs(box.y - selected.y) < 4 && (box.x - selected.x) * dx < 0);
      side.sort((one, two) => Math.abs(one.x - selected.x) - Math.abs(two.x - selected.x));
      found = side[0];
    }
    if (!found) return;
    this.select(found);
    this.view.centre(found);
  }

  pointer() {
    const canvas = byId("canvas"), tip = byId("tip");
    let held = null, moved = false;
    canvas.addEventListener("pointerdown", (event) => {
      held = [event.offsetX, event.offsetY];
      moved = false;
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const { offsetX: x, offsetY: y } = event;
      if (held) {
        moved ||= Math.hypot(x - held[0], y - held[1]) > 3;
        if (moved) {
          this.view.move(x - held[0], y - held[1]);
          held = [x, y];
        }
        tip.hidden = true;
        return;
      }
      this.tip(this.view.at(x, y), x, y);
    });
    canvas.addEventListener("pointerup", (event) => {
      if (held && !moved) this.select(this.view.at(event.offsetX, event.offsetY));
      held = null;
    });
    canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
    canvas.addEventListener("dblclick", (event) => this.toggle(this.view.at(event.offsetX, event.offsetY)));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const pixels = event.deltaMode === 1 ? 24 * event.deltaY : event.deltaY;
      this.view.zoom(Math.exp(-0.0015 * pixels), event.offsetX, event.offsetY);
    }, { passive: false });
  }

  tip(box, x, y) {
    const tip = byId("tip");
    tip.hidden = !box;
    if (!box) return;
    const node = box.number === undefined ? null : this.data.nodes[box.number];
    const step = this.model.last && box.step !== undefined ? this.data.steps[box.step] : null;
    const time = step && step.seconds !== undefined ? `\n${duration(step.seconds)} in ${counted(step.calls_made, "call")}` : "";
    tip.textContent = `${node ? node.text : box.title}\n${box.lines.join("\n")}${time}${node ? this.pane.line(node.source) : ""}`;
    const place = byId("drawing");
    tip.style.left = `${Math.min(x + 14, place.clientWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(y + 14, place.clientHeight - tip.offsetHeight - 8)}px`;
  }
}

const app = new App(JSON.parse(byId("data").textContent));
