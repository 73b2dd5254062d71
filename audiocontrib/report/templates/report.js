"use strict";
// Everything from the data set is put in by textContent: nothing in a text can become markup.
(() => {
  const { items, clips } = JSON.parse(document.getElementById("data").textContent);
  const columns = [
    ["question", "question", "text"], ["type", "type"], ["split", "part"], ["score", "score", "n"],
    ["p_audio", "p(gold) audio", "n"], ["p_silence", "silence", "n"], ["p_text", "text", "n"],
  ].filter(([key]) => items.some((item) => item[key] !== null && item[key] !== undefined && item[key] !== ""));
  const body = document.querySelector("#browser tbody");
  const find = document.getElementById("find");
  const selects = { type: document.getElementById("by-type"), split: document.getElementById("by-split") };
  const PAGE = 50;
  let order = null, down = false, limit = PAGE;

  const make = (name, text, css) => {
    const element = document.createElement(name);
    if (text !== undefined && text !== null) element.textContent = text;
    if (css) element.className = css;
    return element;
  };
  const shown = (value) => value === null || value === undefined ? "–" : typeof value === "number" ? value.toFixed(2) : value;

  for (const [key, select] of Object.entries(selects)) {
    const values = [...new Set(items.map((item) => item[key]).filter(Boolean))].sort();
    for (const value of values) { const option = make("option", value); option.value = value; select.append(option); }
    select.parentElement.hidden = values.length < 2;
    select.addEventListener("change", () => { limit = PAGE; draw(); });
  }
  const head = document.querySelector("#browser thead tr");
  for (const [key, title, css] of columns) {
    const cell = make("th", null, css === "n" ? "n" : "");
    const button = make("button", title);
    button.type = "button";
    button.addEventListener("click", () => { down = order === key ? !down : css === "n"; order = key; draw(); });
    cell.scope = "col"; cell.dataset.key = key; cell.append(button); head.append(cell);
  }
  const texts = items.map((item) => [item.id, item.question, ...item.choices].join("\n").toLowerCase());
  const wanted = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = items.filter((item, place) => words.every((word) => texts[place].includes(word))
      && Object.entries(selects).every(([key, select]) => !select.value || item[key] === select.value));
    if (!order) return found;
    const missing = (value) => value === null || value === undefined || value === "";
    return found.sort((a, b) => {
      const x = a[order], y = b[order];
      if (missing(x) || missing(y)) return missing(x) - missing(y);
      const less = typeof x === "number" ? x - y : String(x).localeCompare(String(y));
      return down ? -less : less;
    });
  };
  const detail = (item) => {
    const row = make("tr", null, "detail"), cell = make("td");
    cell.colSpan = columns.length;
    cell.append(make("div", item.id));
    if (Object.hasOwn(clips, item.clip)) {
      const audio = make("audio"); audio.controls = true; audio.preload = "none"; audio.src = clips[item.clip]; cell.append(audio);
    }
    if (item.path) cell.append(make("div", "clip: " + item.path, "soft"));
    // one line for each model and condition, one column for each option
    const table = make("table"), top = make("tr"), told = item.answers.filter((a) => a.posterior);
    top.append(make("th", told.length ? "mean posterior" : "options"));
    const gold = (place) => place === item.gold ? "gold" : "";
    item.choices.forEach((choice, place) => top.append(make("th", (place === item.gold ? "✓ " : "") + choice, gold(place))));
    const thead = make("thead"), tbody = make("tbody"), box = make("div", null, "scroll");
    thead.append(top); table.append(thead, tbody); box.append(table); cell.append(box);
    for (const a of told) {
      const line = make("tr");
      line.append(make("td", a.model + ", " + a.condition));
      a.posterior.forEach((value, place) => line.append(make("td", shown(value), "n " + gold(place))));
      tbody.append(line);
    }
    for (const a of item.answers) {
      if (a.evidence) cell.append(make("div", a.model + ", " + a.condition + " heard: " + a.evidence, "reply"));
      for (const reply of a.replies.slice(0, 6)) {
        const choice = reply.choice === null || reply.choice === undefined ? "" : " → " + item.choices[reply.choice];
        cell.append(make("div", a.model + ", " + a.condition + " (" + reply.outcome + "): " + reply.text + choice, "reply"));
      }
    }
    row.append(cell);
    return row;
  };
  const toggle = (line, item) => {
    const open = line.getAttribute("aria-expanded") === "true";
    line.setAttribute("aria-expanded", String(!open));
    if (open) line.nextSibling.remove(); else line.after(detail(item));
  };
  const draw = () => {
    const found = wanted();
    document.getElementById("count").textContent = found.length + " of " + items.length;
    for (const cell of head.children) {
      if (cell.dataset.key === order) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    body.replaceChildren();
    for (const item of found.slice(0, limit)) {
      const line = make("tr", null, "item");
      line.tabIndex = 0; line.setAttribute("aria-expanded", "false");
      for (const [key, , css] of columns) line.append(make("td", shown(item[key]), css));
      line.addEventListener("click", () => toggle(line, item));
      line.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(line, item); }
      });
      body.append(line);
    }
    const more = document.getElementById("more");
    more.hidden = found.length <= limit;
    more.onclick = () => { limit += PAGE; draw(); };
  };
  find.addEventListener("input", () => { limit = PAGE; draw(); });
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  draw();
})();
