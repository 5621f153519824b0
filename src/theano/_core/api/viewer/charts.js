// Memory over the run: one column for each step, the buffers that are there piled up.
class Strip {
  constructor(canvas, memory, app) {
    this.canvas = canvas;
    this.memory = memory;
    this.app = app;
    byId("memory").hidden = false;
    byId("memory-text").textContent = `Memory over the run: at most ${amount(memory.peak, "B")}${memory.exact ? "" : ", as far as sizes are known"}, ${memory.buffers.length} buffers`;
    canvas.addEventListener("mousemove", (event) => this.tell(event));
    canvas.addEventListener("click", (event) => {
      const nodes = (app.data.steps[this.stepAt(event)] || {}).nodes;
      if (nodes && nodes.length) app.reveal(nodes[0]);
    });
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  stepAt(event) {
    return Math.floor((event.offsetX / this.canvas.clientWidth) * Math.max(1, this.memory.steps.length));
  }

  alive(step) {
    return this.memory.buffers.filter(([, made, freed]) => made <= step && (freed < 0 || step <= freed));
  }

  tell(event) {
    const step = this.stepAt(event), alive = this.alive(step);
    const bytes = alive.reduce((sum, [nbytes]) => sum + (nbytes || 0), 0);
    this.canvas.title = `step ${step}: ${this.memory.steps[step] || ""}\n${amount(bytes, "B")} in ${alive.length} buffers`;
  }

  draw() {
    const { canvas, memory } = this, ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, canvas.clientWidth * ratio);
    canvas.height = Math.max(1, canvas.clientHeight * ratio);
    const context = canvas.getContext("2d");
    const count = Math.max(1, memory.steps.length), width = canvas.width / count;
    let most = 1;
    const columns = Array.from({ length: count }, (_, step) => this.alive(step));
    for (const column of columns) most = Math.max(most, column.reduce((sum, [n]) => sum + (n || 0), 0));
    columns.forEach((column, step) => {
      let y = canvas.height;
      for (const buffer of column) {
        const h = ((buffer[0] || 0) / most) * canvas.height;
        context.fillStyle = `hsl(${(buffer[3] * 67) % 360} 55% 62%)`;
        context.fillRect(step * width, y - h, Math.max(1, width - (width > 4 ? 1 : 0)), h);
        y -= h;
      }
    });
  }
}

// The roofline: how much each step computes for a byte, how fast it was, and what the machine can do.
class Roofline {
  constructor(canvas, data, app) {
    this.canvas = canvas;
    this.limits = data.limits;
    this.points = data.steps
      .map((step, number) => ({ ...step, number }))
      .filter((step) => step.seconds && step.bytes && step.operations)
      .map((step) => ({
        step,
        x: step.operations / step.bytes,
        y: step.operations / step.seconds,
      }));
    this.longest = Math.max(...this.points.map((point) => point.step.seconds));
    canvas.addEventListener("click", (event) => {
      const near = this.nearest(event);
      if (near) app.reveal(near.step.nodes[0]);
    });
    canvas.addEventListener("mousemove", (event) => {
      const near = this.nearest(event);
      canvas.title = near
        ? `step ${near.step.number}: ${duration(near.step.seconds)}, ${amount(near.y, "FLOP/s")}, ${near.x.toPrecision(2)} operations for a byte`
        : "";
    });
  }

  static fits(data) {
    return Boolean(data.limits) && data.steps.some((step) => step.seconds && step.bytes && step.operations);
  }

  place({ x, y }) {
    const { left, right, bottom, top } = this.range, { clientWidth: w, clientHeight: h } = this.canvas;
    const across = (Math.log10(x) - left) / (right - left), up = (Math.log10(y) - bottom) / (top - bottom);
    return [40 + across * (w - 50), h - 22 - up * (h - 32)];
  }

  nearest(event) {
    const distance = (point) => {
      const [x, y] = this.place(point);
      return Math.hypot(x - event.offsetX, y - event.offsetY);
    };
    const near = this.points.filter((point) => distance(point) < 14);
    return near.sort((one, two) => distance(one) - distance(two))[0];
  }

  draw() {
    const { canvas, points } = this, ratio = window.devicePixelRatio || 1;
    const { bytes_per_second: bytes, operations_per_second: most } = this.limits;
    const ridge = most / bytes;
    const xs = [ridge / 30, ridge * 30, ...points.map((p) => p.x)].map(Math.log10);
    const ys = [most * 1.6, ...points.map((p) => p.y)].map(Math.log10);
    this.range = {
      left: Math.min(...xs) - 0.1, right: Math.max(...xs) + 0.1,
      bottom: Math.min(Math.log10(most) - 2, ...ys) - 0.1, top: Math.max(...ys) + 0.1,
    };
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    context.scale(ratio, ratio);
    context.strokeStyle = style.getPropertyValue("--soft");
    context.fillStyle = style.getPropertyValue("--soft");
    context.font = "11px system-ui, sans-serif";
    const least = 10 ** this.range.bottom, wide = 10 ** this.range.right;
    context.beginPath();
    context.moveTo(...this.place({ x: Math.max(least / bytes, 10 ** this.range.left), y: Math.max(least, bytes * 10 ** this.range.left) }));
    context.lineTo(...this.place({ x: ridge, y: most }));
    context.lineTo(...this.place({ x: wide, y: most }));
    context.lineWidth = 1.5;
    context.stroke();
    context.textAlign = "right";
    const [end, roof] = this.place({ x: wide, y: most });
    context.fillText(amount(most, "FLOP/s"), end, roof - 4);
    context.fillText("operations for a byte →", end, canvas.clientHeight - 6);
    context.save();
    context.translate(12, canvas.clientHeight / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText("operations a second →", 0, 0);
    context.restore();
    for (const point of points) {
      const [x, y] = this.place(point), share = point.step.seconds / this.longest;
      context.beginPath();
      context.arc(x, y, 3 + 7 * Math.sqrt(share), 0, 2 * Math.PI);
      context.fillStyle = heat(share);
      context.fill();
      context.lineWidth = 0.8;
      context.stroke();
    }
  }
}
