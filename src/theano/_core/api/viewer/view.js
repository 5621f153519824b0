// The canvas: draws boxes and edges, moves and zooms, tells what lies under the pointer.

const COLOURS = {
  input: "#bfe3b4", argument: "#bfe3b4", shared: "#b4e0dd", constant: "#dcdcdc", output: "#bcd3f7",
  elementwise: "#fbdcae", reduction: "#f5bfae", product: "#dcc3ee", array: "#efe9b0",
  control: "#f7c6dc", random: "#c4ebd0", sparse: "#d8d2f2", call: "#f2a0a0", kernel: "#fbe9d0",
};
const FONT = "12px system-ui, sans-serif";
const BOLD = "600 12px system-ui, sans-serif";

class View {
  constructor(canvas, model) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.model = model;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.selected = null;
    this.matches = new Set();
    this.colourOf = null;
    this.frames = 0;
    this.waiting = false;
    // Pixels of the canvas for one of the page; 0: those of the screen.
    this.fineness = 0;
  }

  get ratio() {
    return this.fineness || window.devicePixelRatio || 1;
  }

  resize() {
    const { ratio } = this;
    const { clientWidth: w, clientHeight: h } = this.canvas;
    this.canvas.width = Math.max(1, Math.round(w * ratio));
    this.canvas.height = Math.max(1, Math.round(h * ratio));
    // The canvas is empty now: not a frame later.
    this.draw();
  }

  request() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  fit() {
    const { clientWidth: w, clientHeight: h } = this.canvas;
    const { width, height } = this.model;
    this.scale = Math.min(1.25, (w - 40) / Math.max(1, width), (h - 60) / Math.max(1, height));
    this.scale = Math.max(this.scale, 0.005);
    this.x = (w - width * this.scale) / 2;
    this.y = Math.max(36, (h - height * this.scale) / 2);
    this.request();
  }

  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const scale = Math.min(6, Math.max(0.005, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.request();
  }

  move(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.request();
  }

  centre(box) {
    const { clientWidth: w, clientHeight: h } = this.canvas;
    this.scale = Math.max(this.scale, 0.8);
    this.x = w / 2 - (box.x + box.w / 2) * this.scale;
    this.y = h / 2 - (box.y + Math.min(box.h, 60) / 2) * this.scale;
    this.request();
  }

  // The innermost box at a place of the canvas, or null.
  at(px, py) {
    const x = (px - this.x) / this.scale, y = (py - this.y) / this.scale;
    for (let i = this.model.boxes.length - 1; i >= 0; i--) {
      const box = this.model.boxes[i];
      if (x >= box.x && x <= box.x + box.w && y >= box.y && y <= box.y + box.h) return box;
    }
    return null;
  }

  draw() {
    const { context, canvas, model, ratio } = this;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    this.text = colour("--text");
    this.soft = colour("--soft");
    this.accent = colour("--accent");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = colour("--back");
    context.fillRect(0, 0, canvas.width, canvas.height);
    const scale = this.scale * ratio;
    context.setTransform(scale, 0, 0, scale, this.x * ratio, this.y * ratio);
    const seen = {
      left: -this.x / this.scale, top: -this.y / this.scale,
      right: (canvas.width / ratio - this.x) / this.scale,
      bottom: (canvas.height / ratio - this.y) / this.scale,
    };
    const inside = (x, y, w, h) =>
      x <= seen.right && x + w >= seen.left && y <= seen.bottom && y + h >= seen.top;
    const shown = model.boxes.filter((box) => inside(box.x, box.y, box.w, box.h));
    // What is open lies below the edges within it.
    for (const box of shown) if (box.levels) this.box(box);
    this.lines(inside);
    for (const box of shown) if (!box.levels) this.box(box);
    this.frames++;
  }

  lines(inside) {
    const { context } = this, near = [];
    context.strokeStyle = this.soft;
    context.globalAlpha = 0.55;
    context.lineWidth = Math.max(1, 0.6 / this.scale);
    context.beginPath();
    for (const edge of this.model.edges) {
      const first = edge.points[0], last = edge.points[edge.points.length - 1];
      const x = Math.min(first.x, last.x), y = Math.min(first.y, last.y);
      // A way round may go further to the sides than its ends.
      const slack = edge.points.length > 2 ? 400 : 0;
      const w = Math.abs(first.x - last.x) + 2 * slack, h = Math.abs(first.y - last.y);
      if (!inside(x - slack, y, w, h)) continue;
      if (edge.from === this.selected || edge.to === this.selected) near.push(edge);
      else this.path(edge.points);
    }
    context.stroke();
    context.globalAlpha = 1;
    context.strokeStyle = this.accent;
    context.lineWidth = Math.max(2, 1 / this.scale);
    context.beginPath();
    for (const edge of near) this.path(edge.points);
    context.stroke();
    if (this.scale > 0.3) for (const edge of near) this.head(edge);
  }

  path(points) {
    const { context } = this, last = points[points.length - 1];
    context.moveTo(points[0].x, points[0].y);
    if (this.scale < 0.12) {
      context.lineTo(last.x, last.y);
    } else if (points.length === 2) {
      const middle = (points[0].y + last.y) / 2;
      context.bezierCurveTo(points[0].x, middle, last.x, middle, last.x, last.y);
    } else {
      for (let i = 1; i < points.length - 2; i++) {
        const x = (points[i].x + points[i + 1].x) / 2, y = (points[i].y + points[i + 1].y) / 2;
        context.quadraticCurveTo(points[i].x, points[i].y, x, y);
      }
      const before = points[points.length - 2];
      context.quadraticCurveTo(before.x, before.y, last.x, last.y);
    }
  }

  // Which input an edge is, where it ends.
  head(edge) {
    const { context } = this, last = edge.points[edge.points.length - 1];
    if (!edge.places || edge.to !== this.selected) return;
    context.font = FONT;
    context.fillStyle = this.accent;
    context.textAlign = "left";
    context.fillText(edge.places.join(","), last.x + 4, last.y - 4);
  }

  box(box) {
    const { context } = this;
    const fill = this.colourOf ? this.colourOf(box) : COLOURS[box.kind] || "#dddddd";
    const lit = this.matches.has(box.key);
    context.fillStyle = fill;
    context.globalAlpha = box.levels ? 0.28 : 1;
    const tiny = this.scale < 0.15;
    context.beginPath();
    if (tiny) context.rect(box.x, box.y, box.w, box.h);
    else context.roundRect(box.x, box.y, box.w, box.h, ["input", "shared", "constant", "argument", "output"].includes(box.kind) ? 2 : 8);
    context.fill();
    context.globalAlpha = 1;
    if (box === this.selected || lit || box.isNew) {
      context.strokeStyle = box === this.selected ? this.accent : lit ? "#d6409f" : "#2b9a66";
      context.lineWidth = Math.max(box === this.selected ? 3 : 2, 1.5 / this.scale);
      context.stroke();
    } else if (!tiny) {
      context.strokeStyle = this.soft;
      context.lineWidth = 0.6;
      context.stroke();
    }
    if (this.scale > 0.45 || (box.levels && this.scale > 0.2)) this.words(box);
    else if (this.scale > 0.12 && !box.levels) this.title(box);
  }

  // From far away: the title alone, as large as the box.
  title(box) {
    const { context } = this;
    const size = Math.min(0.6 * box.h, (12 * (box.w - 6)) / Math.max(1, box.w - 2 * PAD));
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    context.textAlign = "center";
    context.fillStyle = "#1c2024";
    context.fillText(box.title, box.x + box.w / 2, box.y + box.h / 2, box.w - 4);
  }

  words(box) {
    const { context } = this;
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    context.fillStyle = box.levels ? this.text : "#1c2024";
    context.font = BOLD;
    const sign = box.opens ? (box.levels ? "▾ " : "▸ ") : "";
    context.fillText(sign + box.title, box.x + PAD, box.y + 16);
    context.font = FONT;
    if (box.levels) {
      for (const level of box.levels) {
        if (level.title) context.fillText(level.title, level.at.x, level.at.y + 9);
      }
      return;
    }
    context.globalAlpha = 0.75;
    box.lines.forEach((line, k) => context.fillText(line, box.x + PAD, box.y + 16 + LINE * (k + 1)));
    context.globalAlpha = 1;
  }
}

// From pale to red, by how large a share of the largest a value is.
function heat(share) {
  if (!(share > 0)) return "#e8e8ec";
  const s = Math.sqrt(Math.min(1, share));
  return `hsl(${48 - 46 * s} ${60 + 35 * s}% ${88 - 30 * s}%)`;
}
