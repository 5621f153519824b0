// Where the boxes of one level go. Boxes have `w` and `h`, edges `from` and `to`; boxes get `x` and
// `y` of their upper left corner, edges the points that they go through.

const GAP = { layer: 26, box: 14 };

// Boxes, and layers that edges cross, of what the library may lay out while a reader waits.
const MOST_FOR_LIBRARY = 900;

function layOut(boxes, edges) {
  const around = neighbours(boxes, edges), layers = layersOf(boxes, around);
  const crossed = edges.reduce((sum, { from, to }) => sum + to.layer - from.layer, 0);
  if (typeof dagre !== "undefined" && boxes.length > 1 && boxes.length + crossed <= MOST_FOR_LIBRARY) {
    byLibrary(boxes, edges);
  } else {
    inLayers(layers, edges, around);
  }
  let w = 0, h = 0;
  for (const box of boxes) {
    w = Math.max(w, box.x + box.w);
    h = Math.max(h, box.y + box.h);
  }
  return { w, h };
}

// Dagre as Netron ships it.
function byLibrary(boxes, edges) {
  const nodes = boxes.map((box, i) => ({ v: String(i), width: box.w, height: box.h }));
  const number = new Map(boxes.map((box, i) => [box, String(i)]));
  const links = edges.map((e) => ({ v: number.get(e.from), w: number.get(e.to) }));
  dagre.layout(nodes, links, { ranksep: GAP.layer, nodesep: GAP.box, edgesep: 8, rankdir: "tb" }, {});
  nodes.forEach((node, i) => {
    boxes[i].x = node.x - node.width / 2;
    boxes[i].y = node.y - node.height / 2;
  });
  links.forEach((link, i) => { edges[i].points = link.points; });
}

// Without a library: layers by the longest way, each sorted by the middle of the neighbours, then
// moved towards them. It takes time in proportion to the edges.
function inLayers(layers, edges, { into, out }) {
  for (let sweep = 0; sweep < 4; sweep++) {
    sortLayers(layers, sweep % 2 ? out : into, sweep % 2 === 1);
  }
  placeLayers(layers, into, out);
  for (const edge of edges) {
    const { from, to } = edge;
    edge.points = [
      { x: from.x + from.w / 2, y: from.y + from.h },
      { x: to.x + to.w / 2, y: to.y },
    ];
  }
}

function neighbours(boxes, edges) {
  const into = new Map(boxes.map((box) => [box, []]));
  const out = new Map(boxes.map((box) => [box, []]));
  for (const edge of edges) {
    into.get(edge.to).push(edge.from);
    out.get(edge.from).push(edge.to);
  }
  return { into, out };
}

function layersOf(boxes, { into, out }) {
  const missing = new Map(boxes.map((box) => [box, into.get(box).length]));
  const order = boxes.filter((box) => missing.get(box) === 0);
  for (let i = 0; i < order.length; i++) {
    for (const next of out.get(order[i])) {
      missing.set(next, missing.get(next) - 1);
      if (missing.get(next) === 0) order.push(next);
    }
  }
  for (const box of order) {
    box.layer = into.get(box).reduce((layer, other) => Math.max(layer, other.layer + 1), 0);
  }
  // What nothing is needed for stands just above what needs it.
  for (const box of order) {
    if (into.get(box).length === 0 && out.get(box).length) {
      box.layer = out.get(box).reduce((layer, other) => Math.min(layer, other.layer - 1), Infinity);
    }
  }
  const layers = [];
  for (const box of order) (layers[box.layer] ||= []).push(box);
  return Array.from(layers, (layer) => layer || []);
}

function sortLayers(layers, neighbours, upwards) {
  for (const layer of layers) layer.forEach((box, i) => { box.place = i; });
  for (const layer of upwards ? [...layers].reverse() : layers) {
    for (const box of layer) {
      const near = neighbours.get(box);
      if (near.length) box.place = near.reduce((sum, other) => sum + other.place, 0) / near.length;
    }
    layer.sort((one, two) => one.place - two.place);
    layer.forEach((box, i) => { box.place = i; });
  }
}

function placeLayers(layers, into, out) {
  let y = 0;
  for (const layer of layers) {
    let x = 0, height = 0;
    for (const box of layer) {
      box.x = x;
      box.y = y;
      x += box.w + GAP.box;
      height = Math.max(height, box.h);
    }
    y += height + GAP.layer;
  }
  for (let sweep = 0; sweep < 6; sweep++) {
    const neighbours = sweep % 2 ? out : into;
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) moveTowards(layer, neighbours);
  }
  const left = layers.reduce((x, layer) => Math.min(x, layer.length ? layer[0].x : x), Infinity);
  for (const layer of layers) for (const box of layer) box.x -= left;
}

// The places with the least sum of squared distances to the wanted ones that keep the order:
// boxes that would overlap become one block at the mean of what they want.
function moveTowards(layer, neighbours) {
  const blocks = [];
  let offset = 0;
  for (const box of layer) {
    const near = neighbours.get(box);
    let wanted = box.x;
    if (near.length) {
      wanted = near.reduce((sum, other) => sum + other.x + other.w / 2, 0) / near.length - box.w / 2;
    }
    blocks.push({ sum: wanted - offset, count: 1, boxes: [[box, offset]] });
    offset += box.w + GAP.box;
    while (blocks.length > 1) {
      const last = blocks[blocks.length - 1], before = blocks[blocks.length - 2];
      if (before.sum / before.count <= last.sum / last.count) break;
      before.sum += last.sum;
      before.count += last.count;
      for (const entry of last.boxes) before.boxes.push(entry);
      blocks.pop();
    }
  }
  for (const block of blocks) {
    for (const [box, at] of block.boxes) box.x = block.sum / block.count + at;
  }
}
