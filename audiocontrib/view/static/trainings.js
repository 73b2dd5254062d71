"use strict";
// The page of watched trainings: the curve of one, which grows while training goes on.
(async () => {
  const { make } = itemView;
  const EVERY = 3000;
  const at = (id) => document.getElementById(id);
  const problem = (error) => { at("problem").hidden = !error; at("problem").textContent = error ? error.message : ""; };
  const get = async (path, words = {}) => {
    const answer = await fetch(path + "?" + new URLSearchParams(words));
    const said = await answer.json().catch(() => ({ error: answer.status + " " + answer.statusText }));
    if (!answer.ok) throw new Error(said.error);
    return said;
  };

  const { trainings, runs } = await get("api/trainings");
  at("to-runs").hidden = !runs;
  const wanted = new URLSearchParams(location.search).get("training");
  const whole = trainings.filter((one) => !one.fault);
  const name = wanted ?? whole.reduce((last, one) => one.changed > last.changed ? one : last, whole[0])?.name;
  for (const one of trainings) {
    const option = make("option", one.fault ? one.name + ": " + one.fault : one.name + " (" + one.stage + ")");
    option.value = one.name; option.selected = one.name === name; option.disabled = Boolean(one.fault); at("training").append(option);
  }
  at("training").addEventListener("change", () => { location.href = location.pathname + "?" + new URLSearchParams({ training: at("training").value }); });
  if (name === undefined) { problem(new Error("there is no watched training here")); return; }
  document.title = name + ": does it listen more?";

  const show = (about) => {
    at("lead").textContent = about.stage + " of " + about.start + ": step " + about.step.toLocaleString("en") + (about.done ? ", done." : ".");
    at("said").replaceChildren(...about.said.map((line) => make("li", line)));
    at("lines").tHead.rows[0].replaceChildren(...about.head.map((title) => { const cell = make("th", title, "n"); cell.scope = "col"; return cell; }));
    at("lines").tBodies[0].replaceChildren(...about.lines.map((cells) => { const line = make("tr"); line.append(...cells.map((cell) => make("td", cell, "n"))); return line; }));
    const last = about.lines[about.lines.length - 1];
    at("drawn").alt = last ? "The curve up to step " + last[0] + ": right with the audio " + last[1] + ", in silence " + last[2] + ", from the text " + last[3] : "The curve";
    at("drawn").src = "api/curve?" + new URLSearchParams({ training: name, at: about.changed });
    at("drawn").hidden = false;
  };
  let shown = null;
  const look = async () => {
    try {
      const about = await get("api/training", { training: name });
      problem(null);
      at("live").textContent = about.done ? "done" : "looking every three seconds";
      if (about.changed !== shown?.changed || about.done !== shown?.done) { shown = about; show(about); }
    } catch (error) { problem(error); }
    setTimeout(look, document.hidden ? 10 * EVERY : EVERY);
  };
  look();
})();
