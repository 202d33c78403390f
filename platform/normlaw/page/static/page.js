"use strict";
// Draws the figures that the server describes, asks once a second whether anything is new, and sends what the
// reader chooses. All text that comes from outside is set as text.

const body = document.body;
const drawn = new WeakMap(); // by figure
const PAUSE = 1000;
const library = new Promise((done) => addEventListener("DOMContentLoaded", done)); // Bokeh's script has run by then
let leaving = false; // what the reader chose is on its way: a reload now would take it back

function figures() { return [...document.querySelectorAll("figure[data-figure]")]; }

function address(path, more = {}) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(more)) query.set(name, value);
  return `${path}?${query}`;
}

function known(columns) {
  const bare = (value) => (Array.isArray(value) ? value.map(bare) : value === null ? NaN : value);
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, bare(values)]));
}

function leadOn(source) {
  if (!("run" in source.data)) return;
  source.selected.change.connect(() => {
    const index = source.selected.indices[0];
    if (index === undefined) return;
    const query = new URLSearchParams({study: body.dataset.study, run: source.data.run[index]});
    location.assign(`/run?${query}`);
  });
}

let asked = Promise.resolve(); // one figure after the other, so that the first does not wait for the last

function ask(path) {
  const answer = asked.then(() => fetch(path)).then((response) => response.json());
  asked = answer.catch(() => null);
  return answer;
}

async function draw(figure) {
  const name = figure.dataset.figure;
  const before = drawn.get(figure);
  if (before && before.busy) { before.again = true; return; }
  const now = before || {};
  drawn.set(figure, now);
  now.busy = true;
  now.again = false;
  try {
    const answer = await ask(address(figure.dataset.from || "/data", {figure: name, have: now.signature || ""}));
    await library; // it is large: what the reader chooses meanwhile is heard
    figure.querySelector("[data-told]").textContent = answer.told;
    if (answer.item) {
      const plot = figure.querySelector(".plot");
      plot.replaceChildren();
      const manager = await Bokeh.embed.embed_item(answer.item, plot);
      now.document = manager.roots[0].model.document;
      now.signature = answer.signature;
      for (const key of answer.keys) leadOn(now.document.get_model_by_name(key));
    } else if (now.document) {
      for (const [key, columns] of Object.entries(answer.data || {})) {
        now.document.get_model_by_name(key).data = known(columns);
      }
    }
    if (answer.gammas) moveSliders(answer.gammas);
    figure.dataset.drawn = String(Number(figure.dataset.drawn || 0) + 1);
  } catch (error) {
    figure.querySelector("[data-told]").textContent = `not drawn: ${error}`;
  } finally {
    now.busy = false;
    if (now.again) draw(figure);
  }
}

function moveSliders(gammas) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(gammas)) {
    const slider = document.querySelector(`input[type=range][name=${name}]`);
    if (!slider || query.has(name) || slider === document.activeElement) continue;
    slider.value = value;
    slider.nextElementSibling.textContent = Number(slider.value).toFixed(2);
  }
}

function link(figure) {
  for (const anchor of figure.querySelectorAll("a[data-ending]")) {
    anchor.href = address("/figure", {figure: figure.dataset.figure, ending: anchor.dataset.ending});
  }
}

document.addEventListener("input", ({target: slider}) => {
  if (!slider.matches("input[type=range]")) return;
  slider.nextElementSibling.textContent = Number(slider.value).toFixed(2);
  history.replaceState(null, "", address(location.pathname, {[slider.name]: slider.value}));
  const figure = slider.closest("figure");
  link(figure);
  draw(figure);
});

document.addEventListener("change", ({target}) => {
  const form = target.closest("form.choices");
  if (form && target.type !== "search" && target.type !== "password") form.requestSubmit();
});

function replace(part, html) {
  const place = document.querySelector(`[data-part="${part}"]`);
  if (!place || place.contains(document.activeElement)) return;
  const open = [...place.querySelectorAll("details")].map((each) => each.open);
  place.innerHTML = html;
  place.querySelectorAll("details").forEach((each, number) => { each.open = open[number] ?? each.open; });
}

// Figures come and go with the laws, each in its place: a reload would take the slider out of the reader's hand.
function arrange(names, made) {
  for (const figure of figures()) {
    if (!names.includes(figure.dataset.figure)) figure.remove();
  }
  let before = null;
  for (const name of names) {
    const fresh = document.createElement("template");
    fresh.innerHTML = made[name];
    let figure = figures().find((each) => each.dataset.figure === name);
    if (figure) {
      const caption = fresh.content.querySelector("[data-caption]");
      figure.querySelector("[data-caption]").replaceWith(caption);
      figure.querySelector(".plot").ariaLabel = fresh.content.querySelector(".plot").ariaLabel;
    } else {
      figure = fresh.content.querySelector("figure");
      before.after(figure); // the curves are there, or the page is asked for anew
      link(figure);
    }
    before = figure;
  }
}

async function news() {
  if (!document.hidden && body.dataset.news) {
    try {
      const response = await fetch(address("/news", {page: body.dataset.news, have: body.dataset.version}));
      if (response.ok) {
        const answer = await response.json();
        // There is something to see for the first time, or nothing any more.
        const other = (answer.figures || []).length > 0 !== figures().length > 0;
        if (other && !leaving) {
          location.reload();
          return;
        }
        if (!other && answer.version !== body.dataset.version) {
          body.dataset.version = answer.version;
          for (const [part, html] of Object.entries(answer.parts)) replace(part, html);
          if (answer.made) arrange(answer.figures, answer.made);
          figures().filter((each) => answer.changed.includes(each.dataset.figure)).forEach(draw);
        }
        body.dataset.heard = String(Date.now());
      }
    } catch (error) { /* the server is away: asked again below */ }
  }
  setTimeout(news, PAUSE);
}

addEventListener("submit", () => { leaving = true; });
addEventListener("beforeunload", () => { leaving = true; });
addEventListener("pageshow", () => { leaving = false; });
figures().forEach((figure) => { link(figure); draw(figure); });
if (body.dataset.news) setTimeout(news, PAUSE);
