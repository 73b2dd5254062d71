"use strict";
// The items of a report, which lie in the page itself.
(() => {
  const { known } = itemView;
  const { items, clips, audio, without, scored } = JSON.parse(document.getElementById("data").textContent);
  const columns = [
    ["question", "question", "text"], ["type", "type"], ["split", "part"],
    ["score", scored ? "score (" + scored + ")" : "score", "n"],
    ["right_audio", "models right: audio", "n"], ["right_without", without || "without", "n"],
    ["p_audio", "p(gold): audio", "n"], ["p_silence", "silence", "n"], ["p_text", "text", "n"],
  ].filter(([key]) => items.some((item) => known(item[key])));
  const distinct = (values) => [...new Set(values.filter(known))].sort();
  const answers = items.flatMap((item) => item.answers);
  const values = {
    type: distinct(items.map((item) => item.type)), split: distinct(items.map((item) => item.split)),
    model: distinct(answers.map((answer) => answer.model)), condition: distinct(answers.map((answer) => answer.condition)),
    result: distinct(answers.map((answer) => answer.result)),
    changed: audio && without ? ["right only with the audio", "right only without", "right both ways", "right neither way"] : [],
  };
  const texts = new Map(items.map((item) => [item, [item.id, item.question, ...item.choices].join("\n").toLowerCase()]));

  // of each model with a vote under both conditions: what the audio changed
  const changes = (own) => {
    const votes = (condition) => new Map(own.filter((answer) => answer.condition === condition
      && !["no vote", "no gold"].includes(answer.result)).map((answer) => [answer.model, answer.result === "right"]));
    const bare = votes(without), [only, lost, both, neither] = values.changed;
    return [...votes(audio)].filter(([model]) => bare.has(model)).map(([model, right]) =>
      right ? (bare.get(model) ? both : only) : (bare.get(model) ? lost : neither));
  };
  const fits = (item, query) => {
    const words = (query.find ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.every((word) => texts.get(item).includes(word))) return false;
    if (["type", "split"].some((key) => query[key] && item[key] !== query[key])) return false;
    const own = item.answers.filter((answer) => !query.model || answer.model === query.model);
    if (query.changed && !changes(own).includes(query.changed)) return false;
    return !(query.model || query.condition || query.result) || own.some((answer) =>
      (!query.condition || answer.condition === query.condition) && (!query.result || answer.result === query.result));
  };
  const sorted = (found, sort) => {
    if (!sort) return found;
    const falling = sort.startsWith("-"), key = falling ? sort.slice(1) : sort;
    return found.sort((a, b) => {
      const x = a[key], y = b[key];
      if (!known(x) || !known(y)) return known(y) - known(x);
      const less = typeof x === "number" ? x - y : String(x).localeCompare(String(y));
      return falling ? -less : less;
    });
  };
  itemBrowser({
    columns, values,
    find: async (query) => {
      const found = sorted(items.filter((item) => fits(item, query)), query.sort);
      return { items: found.slice(query.from, query.from + query.count), found: found.length, of: items.length };
    },
    item: async (id) => items.find((item) => item.id === id) ?? null,
    clip: (item) => Object.hasOwn(clips, item.clip) ? clips[item.clip] : null,
  });
})();
