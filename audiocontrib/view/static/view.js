"use strict";
// The page of a viewer: the head of a run, its items, and what is new.
(async () => {
  const { make } = itemView;
  const SIGNS = { right: "✓", wrong: "✗", abstained: "○", "no choice": "?", "no gold": "·", "no vote": "–" };
  const EVERY = 3000, COLUMNS_OF_MODELS = 4;
  const at = (id) => document.getElementById(id);
  const thousands = (n) => n.toLocaleString("en");
  const problem = (error) => { at("problem").hidden = !error; at("problem").textContent = error ? error.message : ""; };

  const { runs, trainings } = await server.runs();
  at("to-trainings").hidden = !trainings;
  const wanted = new URLSearchParams(location.search).get("run");
  const whole = runs.filter((run) => !run.fault);
  const name = wanted ?? whole.reduce((last, run) => run.changed > last.changed ? run : last, whole[0])?.name;
  for (const run of runs) {
    const option = make("option", run.fault ? run.name + ": " + run.fault : run.name + " (" + run.dataset + ")");
    option.value = run.name; option.selected = run.name === name; option.disabled = Boolean(run.fault); at("run").append(option);
  }
  at("run").addEventListener("change", () => { location.href = location.pathname + "?" + new URLSearchParams({ run: at("run").value }); });
  let about;
  try { about = await server.run(name); } catch (error) { problem(error); return; }
  document.title = about.name + ": did the model have to listen?";
  at("report").href = server.report(name);
  at("lead").textContent = thousands(about.questions) + " questions on " + thousands(about.clips) + " clips of " + about.dataset + ".";

  const firstRows = (rows, grouped) => {
    const sets = new Set(rows.map((row) => row.dataset)).size > 1, table = make("table"), box = make("div", null, "scroll");
    const columns = [
      ...(sets ? [["data set", "dataset"]] : []), ...(grouped ? [["type", "part"]] : []), ["model", "model", "model"], ["questions", "questions", "n"],
      ["with the audio", "with_audio", "n"], [about.condition, "without", "n"],
      ...(grouped ? [] : [["right / wrong / abstained with the audio", "answers_with", "n"], ["right / wrong / abstained " + about.condition, "answers_without", "n"]]),
      ["the audio adds", "adds", "n"],
    ];
    const head = table.createTHead().insertRow(), body = table.createTBody();
    for (const [title, , css] of columns) { const cell = make("th", title, css === "n" ? "n" : ""); cell.scope = "col"; head.append(cell); }
    for (const row of rows) {
      const line = body.insertRow();
      for (const [, key, css] of columns) line.append(make("td", key === "questions" ? thousands(row[key]) : row[key] || "–", css));
    }
    box.tabIndex = 0; box.setAttribute("role", "region"); box.setAttribute("aria-label", grouped ? "By question type" : "By model"); box.append(table);
    return box;
  };
  const head = () => {
    at("answer").hidden = false;
    at("sentences").replaceChildren(...about.first.map((row) => {
      const line = make("li"); line.append(make("b", row.model), ": " + row.sentence + "."); return line;
    }));
    at("first").replaceChildren(...(about.first.length ? [firstRows(about.first, false)] : []));
    at("first-note").textContent = about.first.length ? "The audio adds: of what is open under " + about.condition
      + ", the share that the audio answers; an abstention counts as a guess. 95 % intervals by clip."
      : about.cells.length ? "This run has no answers both with the audio and without it, so that nothing can be said of what the audio adds." : "The answers are being counted.";
    at("types").hidden = !about.by_type.length;
    at("by-type-table").replaceChildren(...(about.by_type.length ? [firstRows(about.by_type, true)] : []));
    at("asked").replaceChildren(...about.asked.flatMap(([title, text]) => [make("dt", title), make("dd", text)]));
  };
  head();

  // of each model what its votes are with the audio and without: the columns that a few models have
  const contrast = [about.audio, about.condition].filter(Boolean);
  const cellOf = (model, condition) => about.cells.findIndex(([a, b]) => a === model && b === condition);
  const shownModels = about.models.length <= COLUMNS_OF_MODELS ? about.models : [];
  const comparing = (words) => Boolean(words.against || words.other || words.under || words.differs);
  const atStart = comparing(Object.fromEntries(new URLSearchParams(location.hash.slice(1))));
  const columns = [
    ["question", "question", "text"], ["type", "type"], ["split", "part"], ["score", about.split ? "score (" + about.split + ")" : "score", "n"],
    ...(shownModels.length ? shownModels.map((model, n) => ["m" + n, model, "votes"]) : [["right_audio", "models right: audio", "n"], ["right_without", about.condition ?? "without", "n"]]),
    ...(atStart ? [["there", "held against"]] : []), ["contribution", "contribution", "n"], ["mark", "mark"],
  ].filter(([key]) => (key !== "type" || about.values.type.length) && (key !== "split" || about.split));
  at("legend").textContent = (shownModels.length ? "Votes (" + about.method + "): " + contrast.join(", then ") + ". " : "")
    + Object.entries(SIGNS).map(([word, sign]) => sign + " " + word).join(", ") + ".";
  const row = (item) => ({
    ...item,
    ...Object.fromEntries(shownModels.map((model, n) => ["m" + n, contrast.map((condition) => SIGNS[item.votes[cellOf(model, condition)]] ?? "–").join(" ")])),
  });
  const votesOf = (item) => about.cells.map(([model, condition]) =>
    item.answers.find((answer) => answer.model === model && answer.condition === condition)?.result ?? "no vote");

  const compared = (sums, words) => {
    const entries = Object.entries(sums ?? {});
    if (!entries.length) return [];
    const total = entries.reduce((sum, [, n]) => sum + n, 0), table = make("table", null, "bars"), line = table.createTBody().insertRow(), top = table.createTHead().insertRow();
    const here = [words.model || about.models[0], words.condition || about.audio], there = [words.other || here[0], words.under || here[1], words.against || "this run"];
    table.createCaption().textContent = here.join(" under ") + ", held against " + there[0] + " under " + there[1] + " of " + there[2] + ": " + thousands(total) + " items with both votes";
    for (const [kind, n] of entries) { const cell = make("th", kind, "n"); cell.scope = "col"; top.append(cell); line.append(make("td", thousands(n) + (total ? " (" + (100 * n / total).toFixed(1) + " %)" : ""), "n")); }
    return [table];
  };

  let words = {}, shownState = about.state;
  const browser = itemBrowser({
    columns, values: about.values, patience: 250,
    find: async ({ page, item, ...query }) => {
      words = query;
      if (comparing(query) !== atStart) { // the table has another column then
        sessionStorage.setItem("focus", document.activeElement?.name ?? "");
        location.reload();
        return new Promise(() => {});
      }
      try {
        const found = await server.items(name, query);
        problem(null);
        shownState = found.state;
        at("compared").replaceChildren(...compared(found.compared, query));
        return { items: found.items.map(row), found: found.found, of: found.of };
      } catch (error) { problem(error); return { items: [], found: 0, of: 0 }; }
    },
    item: async (id) => {
      try { const item = await server.item(name, id, words.parts); return row({ ...item, votes: votesOf(item), mark: item.marks.map((mark) => mark.kind).join(", ") }); }
      catch (error) { problem(error); return null; }
    },
    clip: () => null,
    more: (item) => [...itemSounds(name, item), ...(server.live ? itemMarks.form(name, about.kinds, item, kept) : [])],
  });
  const focused = sessionStorage.getItem("focus");
  if (focused) { sessionStorage.removeItem("focus"); at("filters").elements[focused]?.focus(); }

  const listMarks = async () => {
    const { marks } = await server.marks(name);
    at("mark-list").replaceChildren(...itemMarks.all(marks));
    return marks;
  };
  const kept = async (item, list) => {
    const marks = await listMarks();
    itemMarks.show(item, list, marks);
    const cell = [...document.querySelectorAll("#browser tr.item")].find((line) => line.dataset.id === item.id)?.cells[columns.length - 1];
    if (cell) cell.textContent = marks.filter((mark) => mark.item_id === item.id).map((mark) => mark.kind).join(", ") || "–";
  };
  if (!server.live) { // nobody is there who could answer or keep a mark
    for (const id of ["sql", "to-sql", "marks", "to-marks", "which"]) at(id).hidden = true;
    return;
  }
  listMarks().catch(problem);
  for (const format of ["csv", "jsonl"]) at("marks-" + format).href = server.marksAddress(name, format);
  sqlBox(name);

  // a run that grows: the counts follow, and the lists where nobody is in the middle of something
  const renew = async () => {
    at("new").hidden = true;
    const before = about;
    about = await server.run(name);
    if (about.cells.length !== before.cells.length || about.split !== before.split) { location.reload(); return; }
    head();
    await browser.refresh();
  };
  at("new").addEventListener("click", renew);
  const look = async () => {
    try {
      const now = await server.state(name);
      at("live").textContent = thousands(now.answers) + " answers" + (now.counted && now.counted !== now.answers ? ", " + thousands(now.counted) + " of them counted" : "")
        + (now.busy ? ", counting" : "") + (now.fault ? ": " + now.fault : "");
      if (now.state && now.state !== shownState) {
        if (document.querySelector("#browser tr.detail")) at("new").hidden = false; else { shownState = now.state; await renew(); }
      }
    } catch (error) { at("live").textContent = "The viewer does not answer: " + error.message; }
    setTimeout(look, document.hidden ? 10 * EVERY : EVERY);
  };
  look();
})();
