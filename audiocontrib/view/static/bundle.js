"use strict";
// In place of server.js in a bundle: reads what lies beside the page, and filters here.
const server = (() => {
  const get = async (path) => {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(path + ": " + answer.status + " " + answer.statusText);
    return answer.json();
  };
  let held = null;
  const all = () => held ??= get("data/list.json");
  const WRONG = ["wrong", "abstained", "no choice"];
  const placeOf = (kind, values) => values.indexOf(kind);
  const pair = (kind, here, there) => {
    const known = [here, there].every((vote) => vote === "right" || WRONG.includes(vote));
    const [a, b] = [[true, false], [false, true], [true, true], [false, false]][kind];
    return known && (here === "right") === a && (there === "right") === b;
  };
  const known = (value) => value !== null && value !== undefined && value !== "";

  const items = async (run, words) => {
    const { about, rows } = await all();
    const cell = (model, condition) => about.cells.findIndex(([a, b]) => a === model && b === condition);
    const models = words.model ? [words.model] : about.models;
    const conditions = words.condition ? [words.condition] : about.values.condition;
    const cells = models.flatMap((model) => conditions.map((condition) => cell(model, condition))).filter((place) => place >= 0);
    const texts = (words.find ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    let found = rows.filter((row) => texts.every((text) => row.text.includes(text))
      && (!words.type || row.type === words.type) && (!words.split || row.split === words.split)
      && (!(words.model || words.condition || words.result)
        || cells.some((place) => words.result ? row.votes[place] === words.result : row.votes[place] !== "no vote"))
      && (!words.changed || models.some((model) => pair(placeOf(words.changed, about.values.changed),
        row.votes[cell(model, about.audio)], row.votes[cell(model, about.condition)]))));
    let compared = {};
    if (words.other || words.under || words.differs) {
      const model = words.model || about.models[0], condition = words.condition || about.audio;
      const here = cell(model, condition), there = cell(words.other || model, words.under || condition);
      if (here < 0 || there < 0) throw new Error("this model was not asked under this condition: there is nothing to compare");
      found = found.map((row) => ({ ...row, there: row.votes[there] }));
      const is = (kind) => (row) => pair(placeOf(kind, about.values.differs), row.votes[here], row.votes[there]);
      compared = Object.fromEntries(about.values.differs.map((kind) => [kind, found.filter(is(kind)).length]));
      if (words.differs) found = found.filter(is(words.differs));
    }
    if (words.sort) {
      const falling = words.sort.startsWith("-"), key = words.sort.replace("-", "");
      const value = (row) => /^m\d+$/.test(key) ? row.votes[cell(about.models[Number(key.slice(1))], about.audio)] : row[key];
      found = [...found].sort((a, b) => {
        const x = value(a), y = value(b);
        if (!known(x) || !known(y)) return known(y) - known(x);
        const less = typeof x === "number" ? x - y : x < y ? -1 : x > y ? 1 : 0;
        return falling ? -less : less;
      });
    }
    return { items: found.slice(words.from, words.from + words.count), found: found.length, of: rows.length, compared, state: about.state };
  };
  return {
    live: false,
    runs: async () => { const { about } = await all(); return { runs: [{ name: about.name, dataset: about.dataset }] }; },
    run: async () => (await all()).about,
    items,
    item: async (run, id) => {
      const { rows, page } = await all(), place = rows.findIndex((row) => row.id === id);
      if (place < 0) throw new Error("this page holds no item " + id);
      return (await get("data/items/" + Math.floor(place / page) + ".json"))[place % page];
    },
    sound: async (run, id) => {
      const item = await server.item(run, id), answer = await fetch(item.sounds[0].file);
      if (!answer.ok) throw new Error("the clip is not here");
      return { blob: await answer.blob(), heard: "copy" };
    },
    marks: async () => ({ marks: [] }),
    marksAddress: () => "",
    report: () => "report.html",
  };
})();
