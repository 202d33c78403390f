"use strict";
// Draws the figures of a report in motion, over those in print, which stay where this cannot run. All text that
// comes from outside is handed to Bokeh as text.

(async () => {
  const told = JSON.parse(document.getElementById("motion").textContent);
  const RUN = "lines single run";
  const documents = new Map();
  const figureOf = (name) => document.querySelector(`figure[data-figure="${name}"]`);
  const runLines = () => [...documents.values()].flatMap((found) =>
    found.roots().flatMap((root) => root.renderers.filter((each) => (each.name || "").startsWith(RUN))));

  async function load() {
    const packed = Uint8Array.from(atob(document.getElementById("bokeh").textContent), (c) => c.charCodeAt(0));
    const script = document.createElement("script");
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  async function draw(name, item) {
    const figure = figureOf(name);
    const plot = figure.querySelector(".plot");
    figure.classList.add("moving");
    try {
      const manager = await Bokeh.embed.embed_item(item, plot);
      documents.set(name, manager.roots[0].model.document);
      figure.hidden = false;
      figure.dataset.drawn = "1";
    } catch (error) {
      figure.classList.remove("moving"); // the one in print stays
      throw error;
    }
  }

  function leadOn(line) {
    const source = line.data_source;
    source.selected.change.connect(() => {
      const index = source.selected.indices[0];
      const address = index === undefined ? undefined : told.addresses[source.data.run[index]];
      if (address && /^https?:/.test(address)) window.open(address, "_blank", "noopener");
    });
  }

  function onGrid([x, y], grid) {
    let right = 1;
    return grid.map((at) => {
      while (right < x.length - 1 && x[right] < at) right += 1;
      const share = (at - x[right - 1]) / (x[right] - x[right - 1]);
      return y[right - 1] + share * (y[right] - y[right - 1]);
    });
  }

  // Root mean square over the norms in common of the standard deviation between curves, as normlaw works it out.
  function spreadOf(curves, points) {
    const low = Math.max(...curves.map(([x]) => x[0]));
    const high = Math.min(...curves.map(([x]) => x[x.length - 1]));
    if (curves.length < 2 || !(low < high)) return null;
    const grid = Array.from({length: points}, (_, i) => low + (high - low) * i / (points - 1));
    const values = curves.map((curve) => onGrid(curve, grid));
    const variance = grid.map((_, i) => {
      const column = values.map((each) => each[i]);
      const mean = column.reduce((a, b) => a + b) / column.length;
      return column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (column.length - 1);
    });
    return Math.sqrt(variance.reduce((a, b) => a + b) / points);
  }

  function moveByHand({curves, gammas, grid, log}) {
    const figure = figureOf("moved");
    const sliders = [...figure.querySelectorAll("input[type=range]")];
    const sources = curves.map(({key}) => documents.get("moved").get_model_by_name(key));
    const move = ([gamma1, gamma2]) => {
      const moved = curves.map(({size, x, y}) => [
        x.map((v) => v - gamma2 * size),
        y.map((v) => v + (gammas[0] + gamma1 * gamma2) * size),
      ]);
      moved.forEach(([x, y], i) => {
        sources[i].data = {x: x.map((v) => (log ? Math.exp(v) : v / Math.LN10)), y: y.map(Math.exp)};
      });
      sliders.forEach((each) => { each.nextElementSibling.textContent = Number(each.value).toFixed(2); });
      const spread = spreadOf(moved, grid);
      const apart = spread === null ? "no norms in common"
        : `spread between train sizes ${(100 * spread).toFixed(1)}%`;
      figure.querySelector("[data-told]").textContent = `γ₁γ₂ = ${(gamma1 * gamma2).toFixed(3)}; ${apart}`;
    };
    const chosen = () => move(sliders.map((each) => Number(each.value)));
    sliders.forEach((each) => each.addEventListener("input", chosen));
    figure.querySelector("button").addEventListener("click", () => {
      sliders.forEach((each) => { each.value = each.defaultValue; });
      move(gammas.slice(1));
    });
    move(gammas.slice(1));
  }

  const page = document.body;
  const choices = document.getElementById("choices");
  try {
    await load();
    for (const [name, item] of Object.entries(told.items)) await draw(name, item);
  } finally {
    choices.hidden = documents.size === 0;
  }
  const lines = runLines();
  lines.forEach(leadOn);
  const single = choices.querySelector("[name=single]");
  single.closest("label").hidden = lines.length === 0;
  single.addEventListener("change", () => lines.forEach((line) => { line.visible = single.checked; }));
  choices.querySelector("[name=print]").addEventListener("change", (event) => {
    page.classList.toggle("still", event.target.checked);
  });
  if (told.moved) moveByHand(told.moved);
  page.dataset.moving = String(documents.size);
})();
