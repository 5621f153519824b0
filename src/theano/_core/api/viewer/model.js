// From the data of a stage to nested boxes.

const numberOf = (reference) => (Array.isArray(reference) ? reference[0] : reference);
const PAD = 12, BAR = 24, LINE = 15;
// A graph of so many nodes opens with all its boxes open.
const OPEN_AT_FIRST = 120;

class Model {
  constructor(data, measure) {
    this.data = data;
    this.measure = measure;
    this.opened = new Set();
    this.constants = false;
    this.stepOf = new Map();
    (data.steps || []).forEach((step, k) => step.nodes.forEach((n) => this.stepOf.set(n, k)));
    this.ruleOf = new Map();
  }

  // The numbers of the nodes that results need, inputs first.
  reachable(outputs) {
    const { nodes } = this.data, order = [], seen = new Set(), stack = [];
    for (const root of outputs) {
      stack.push([numberOf(root), false]);
      while (stack.length) {
        const [n, ready] = stack.pop();
        if (ready) order.push(n);
        if (ready || seen.has(n)) continue;
        seen.add(n);
        stack.push([n, true]);
        const inputs = nodes[n].inputs;
        for (let i = inputs.length - 1; i >= 0; i--) stack.push([numberOf(inputs[i]), false]);
      }
    }
    return order;
  }

  // Makes `boxes` and `edges` of a stage, with places; parents stand before what is within.
  show(number) {
    this.stage = this.data.stages[number];
    this.last = number === this.data.stages.length - 1;
    const known = number > 0 ? new Set(this.reachable(this.data.stages[number - 1].outputs)) : null;
    this.order = this.reachable(this.stage.outputs);
    this.fresh = new Set(known ? this.order.filter((n) => !known.has(n)) : []);
    this.ruleOf = new Map();
    for (const rule of this.stage.rules) for (const n of rule.made) this.ruleOf.set(n, rule);
    const top = this.level(this.stage.outputs, this.data.outputs, "", this.last);
    this.boxes = [];
    this.edges = [];
    this.flatten(top, 0, 0);
    this.width = top.w;
    this.height = top.h;
  }

  level(outputs, names, path, grouped) {
    const { nodes } = this.data, boxes = new Map(), boxOf = new Map();
    for (const n of this.reachable(outputs)) {
      if (nodes[n].kind === "constant" && !this.constants) continue;
      const step = grouped ? this.stepOf.get(n) : undefined;
      const shared = step !== undefined && this.data.steps[step].nodes.length > 1;
      const key = `${path}/${shared ? `s${step}` : n}`;
      let box = boxes.get(key);
      if (!box) {
        box = shared
          ? { key, kind: "kernel", members: [], step }
          : { key, kind: nodes[n].kind, number: n, step };
        boxes.set(key, box);
      }
      if (shared) box.members.push(n);
      boxOf.set(n, box);
    }
    const edges = this.links(boxOf);
    outputs.forEach((reference, k) => {
      const n = numberOf(reference), from = boxOf.get(n);
      const title = (names && names[k]) || `result ${k}`;
      const box = { key: `${path}/o${k}`, kind: "output", title, shows: n };
      boxes.set(box.key, box);
      if (from) edges.push({ from, to: box, label: "" });
    });
    return this.placed([...boxes.values()], edges);
  }

  links(boxOf) {
    const { nodes } = this.data, known = new Map();
    for (const [n, box] of boxOf) {
      nodes[n].inputs.forEach((reference, k) => {
        const from = boxOf.get(numberOf(reference));
        if (!from || from === box) return;
        const key = `${from.key} ${box.key}`;
        if (!known.has(key)) known.set(key, { from, to: box, places: [] });
        known.get(key).places.push(k);
      });
    }
    return [...known.values()];
  }

  placed(boxes, edges) {
    for (const box of boxes) this.size(box);
    return { boxes, edges, ...layOut(boxes, edges) };
  }

  size(box) {
    const node = box.number === undefined ? null : this.data.nodes[box.number];
    if (node) {
      box.title = node.names ? `${node.label} “${node.names.filter(Boolean).join(", ")}”` : node.label;
      box.lines = node.types.slice(0, 3);
      box.isNew = this.stage.rules.length ? this.ruleOf.has(box.number) : this.fresh.has(box.number);
    } else if (box.kind === "kernel") {
      const labels = box.members.map((n) => this.data.nodes[n].label);
      box.title = `kernel: ${labels.slice(0, 4).join(", ")}${labels.length > 4 ? ` + ${labels.length - 4}` : ""}`;
      const last = this.data.nodes[box.members[box.members.length - 1]];
      box.lines = [`${labels.length} operations → ${last.types[0]}`];
      box.isNew = false;
    } else {
      box.lines = this.data.nodes[box.shows].types.slice(0, 1);
    }
    box.opens = box.kind === "kernel" || Boolean(node && node.bodies);
    box.levels = box.opens && this.opened.has(box.key) ? this.inside(box, node) : null;
    const texts = [box.title, ...(box.levels ? [] : box.lines)];
    box.w = Math.max(...texts.map((text) => this.measure(text))) + 2 * PAD + (box.opens ? 14 : 0);
    box.h = BAR + (box.levels ? 0 : LINE * box.lines.length);
    if (box.levels) {
      const wide = box.levels.reduce((sum, level) => sum + level.w + PAD, PAD);
      box.w = Math.max(box.w, wide);
      box.h += Math.max(...box.levels.map((level) => level.h + (level.title ? LINE : 0))) + PAD;
    }
  }

  inside(box, node) {
    if (box.kind === "kernel") {
      const boxOf = new Map();
      for (const n of box.members) {
        boxOf.set(n, { key: `${box.key}/${n}`, kind: this.data.nodes[n].kind, number: n, step: box.step });
      }
      return [this.placed([...boxOf.values()], this.links(boxOf))];
    }
    return node.bodies.map((body, k) => ({
      ...this.level(body.outputs, null, `${box.key}/b${k}`, false),
      title: body.title,
    }));
  }

  flatten(level, x, y) {
    for (const edge of level.edges) {
      edge.points = edge.points.map((point) => ({ x: point.x + x, y: point.y + y }));
      this.edges.push(edge);
    }
    for (const box of level.boxes) {
      box.x += x;
      box.y += y;
      this.boxes.push(box);
      let at = box.x + PAD;
      for (const inner of box.levels || []) {
        inner.at = { x: at, y: box.y + BAR };
        this.flatten(inner, at, box.y + BAR + (inner.title ? LINE : 0));
        at += inner.w + PAD;
      }
    }
  }

  // The keys of the boxes to open so that a node is seen, outermost first; null: it is nowhere.
  wayTo(number, outputs = this.stage.outputs, path = "", grouped = this.last) {
    for (const n of this.reachable(outputs)) {
      const step = grouped ? this.stepOf.get(n) : undefined;
      const shared = step !== undefined && this.data.steps[step].nodes.length > 1;
      if (n === number) return shared ? [`${path}/s${step}`] : [];
      const key = `${path}/${n}`;
      for (const [k, body] of (this.data.nodes[n].bodies || []).entries()) {
        const way = this.wayTo(number, body.outputs, `${key}/b${k}`, false);
        if (way) return [key, ...way];
      }
    }
    return null;
  }

  // Every node of the stage, those of bodies included.
  everything(outputs = this.stage.outputs, found = new Set()) {
    for (const n of this.reachable(outputs)) {
      if (found.has(n)) continue;
      found.add(n);
      for (const body of this.data.nodes[n].bodies || []) this.everything(body.outputs, found);
    }
    return found;
  }

  openAll(outputs = this.stage.outputs, path = "", grouped = this.last) {
    for (const n of this.reachable(outputs)) {
      const step = grouped ? this.stepOf.get(n) : undefined;
      if (step !== undefined && this.data.steps[step].nodes.length > 1) this.opened.add(`${path}/s${step}`);
      (this.data.nodes[n].bodies || []).forEach((body, k) => {
        this.opened.add(`${path}/${n}`);
        this.openAll(body.outputs, `${path}/${n}/b${k}`, false);
      });
    }
  }
}
