"use strict";
// Draws one item. Everything from the data is put in by textContent: nothing in a text can become markup.
//
// An item, as report/item_sample.py writes it (what is not known is null, or absent from an answer):
//   id, question, type: texts                choices: [text]          gold: index of the right choice
//   clip: id of its recording                path: of the clip's file, as the run has it
//   split: its part (weak, strong, undecided; "" without a split)     score, reason: of that part
//   p_audio, p_silence, p_text: mean p(gold) over the models          contribution: in [-1, 1]
//   right_audio, right_without: how many models are right with the audio, and under the condition without it
//   answers: one for each model, condition and method:
//     model, condition, method: texts        result: right, wrong, abstained, no choice, no vote, no gold
//     choice: index of the vote's choice     problem: why there is no vote, in words
//     n: single answers (orders)             right: how many of them are right
//     posterior: [mean], an option each; or chosen: [answers that choose it], an option each
//     outcomes: {refused, unparsed, failed: n}                        evidence: what a cascade heard
//     replies: [{order, outcome, choice, text}]
const itemView = (() => {
  const MARKS = { right: "✓", wrong: "✗", abstained: "○" };
  const OPEN_REPLIES = 6;
  const make = (name, text, css) => {
    const element = document.createElement(name);
    if (text !== undefined && text !== null) element.textContent = text;
    if (css) element.className = css;
    return element;
  };
  const known = (value) => value !== null && value !== undefined && value !== "";
  const shown = (value) => {
    if (!known(value)) return "–";
    return typeof value !== "number" ? value : Number.isInteger(value) ? String(value) : value.toFixed(2).replace(/^-(?=0\.00$)/, "");
  };
  const letter = (place) => String.fromCharCode(65 + place);
  const optionOf = (item, choice) => known(choice) ? letter(choice) + " " + (item.choices[choice] ?? "") : "";

  const options = (item) => {
    const list = make("ul", null, "options");
    item.choices.forEach((choice, place) => {
      const line = make("li", null, place === item.gold ? "gold" : "");
      line.append(make("b", letter(place)), " " + choice + (place === item.gold ? " ✓" : ""));
      if (place === item.gold) line.append(make("span", " (gold)", "soft"));
      list.append(line);
    });
    return list;
  };

  const said = (answer) => {
    const parts = Object.entries(answer.outcomes ?? {}).map(([name, n]) => n + " " + name);
    return [answer.problem, ...parts].filter(known).join(", ");
  };

  const answerRow = (item, answer, methods) => {
    const line = make("tr");
    line.append(make("td", answer.condition + (methods ? ", " + answer.method : "")));
    line.append(make("td", (MARKS[answer.result] ? MARKS[answer.result] + " " : "") + answer.result, "result " + answer.result));
    line.append(make("td", optionOf(item, answer.choice) || "–", "text"));
    line.append(make("td", known(item.gold) ? answer.right + " of " + answer.n : String(answer.n), "n"));
    item.choices.forEach((_, place) => {
      const value = answer.posterior ? shown(answer.posterior[place]) : String(answer.chosen?.[place] ?? 0);
      line.append(make("td", value, "n" + (place === item.gold ? " gold" : "")));
    });
    line.append(make("td", said(answer)));
    return line;
  };

  // one line for each model and condition, one column for each option
  const answers = (item) => {
    const table = make("table"), top = make("tr"), head = make("thead"), box = make("div", null, "scroll");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Answers");
    const titles = ["model", "condition", "vote", "choice", known(item.gold) ? "right" : "answers"];
    titles.forEach((title, place) => top.append(make("th", title, place === 4 ? "n" : "")));
    item.choices.forEach((_, place) => top.append(make("th", letter(place) + (place === item.gold ? " ✓" : ""), "n")));
    top.append(make("th", "not answered"));
    for (const cell of top.children) cell.scope = "col";
    head.append(top); table.append(head); box.append(table);
    const methods = new Set(item.answers.map((answer) => answer.method)).size > 1;
    for (const model of new Set(item.answers.map((answer) => answer.model))) {
      const body = make("tbody"), own = item.answers.filter((answer) => answer.model === model);
      own.forEach((answer, place) => {
        const line = answerRow(item, answer, methods);
        if (!place) {
          const name = make("th", model, "model");
          name.scope = "rowgroup"; name.rowSpan = own.length; line.prepend(name);
        }
        body.append(line);
      });
      table.append(body);
    }
    return box;
  };

  const replies = (item) => {
    const box = make("details"), lines = [];
    for (const answer of item.answers) {
      const who = answer.model + ", " + answer.condition;
      if (answer.evidence) lines.push(make("div", who + " heard: " + answer.evidence, "reply"));
      for (const reply of answer.replies ?? []) {
        const choice = optionOf(item, reply.choice);
        lines.push(make("div", who + " (" + reply.outcome + "): " + reply.text + (choice ? " → " + choice : ""), "reply"));
      }
    }
    box.open = lines.length <= OPEN_REPLIES;
    box.append(make("summary", "Replies and what was heard (" + lines.length + ")"), ...lines);
    return lines.length ? box : null;
  };

  const player = (address) => {
    const audio = make("audio");
    audio.controls = true; audio.preload = "none"; audio.src = address;
    audio.setAttribute("aria-label", "Clip");
    return audio;
  };

  // item: as above; clip: the address of its recording, or null; link: of the item on this page, or null
  const draw = (item, { clip = null, link = null } = {}) => {
    const box = make("div", null, "one-item"), top = make("p");
    top.append(make("code", item.id));
    if (link) {
      const to = make("a", "Link to this item"), copy = make("button", "Copy link");
      to.href = link; copy.type = "button";
      copy.addEventListener("click", async () => {
        try { await navigator.clipboard.writeText(to.href); copy.textContent = "Copied"; } catch { to.focus(); }
      });
      top.append(" ", to, " ", copy);
    }
    box.append(top, make("p", item.question, "question"));
    if (clip) box.append(player(clip));
    if (item.path) box.append(make("p", "clip: " + item.path, "soft"));
    box.append(options(item));
    if (item.split) {
      const score = known(item.score) ? ", score " + shown(item.score) : "";
      box.append(make("p", item.split + score + (item.reason ? ": " + item.reason : "")));
    }
    if (item.answers.length) {
      const weighed = item.answers.some((answer) => answer.posterior), counted = item.answers.some((answer) => !answer.posterior);
      box.append(answers(item), make("p", "Under each option: " + [
        weighed ? "its mean posterior over the orders" : "", counted ? "how many answers choose it" : "",
      ].filter(Boolean).join(", or ") + ".", "soft"));
    }
    const more = replies(item);
    if (more) box.append(more);
    return box;
  };
  return { draw, make, known, shown, player };
})();
