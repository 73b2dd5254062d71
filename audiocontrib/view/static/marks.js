"use strict";
// Marks: the form in an opened item, and the list of all.
const itemMarks = (() => {
  const { make } = itemView;
  const labelled = (text, field) => { const label = make("label", text + " "); label.append(field); return label; };
  const choice = (values, none) => {
    const select = make("select");
    for (const [value, text] of [["", none], ...values]) { const option = make("option", text); option.value = value; select.append(option); }
    return select;
  };
  const said = (item, mark) => [
    mark.kind, mark.answer === null ? "" : "key: " + mark.option, mark.note, mark.by && "by " + mark.by, mark.at.slice(0, 10),
  ].filter(Boolean).join(", ");

  const form = (run, kinds, item, kept) => {
    const box = make("form", null, "mark"), list = make("ul"), told = make("output");
    const kind = choice(kinds.map((one) => [one, one]), "take back");
    const key = choice(item.choices.map((text, place) => [String(place), text]).filter(([place]) => Number(place) !== item.gold), "not known");
    const note = make("input"), save = make("button", "Mark");
    note.maxLength = 2000; save.type = "submit"; told.setAttribute("aria-live", "polite");
    kind.value = "fine";
    const keyLabel = labelled("Right key", key);
    const fit = () => { keyLabel.hidden = kind.value !== "wrong key"; };
    kind.addEventListener("change", fit); fit();
    for (const mark of item.marks) list.append(make("li", said(item, mark)));
    box.append(labelled("Mark", kind), keyLabel, labelled("Note", note), save, told);
    box.addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = kind.value === "wrong key" && key.value ? Number(key.value) : null;
      try {
        await server.mark({ run, item: item.id, kind: kind.value || null, answer, note: note.value });
        told.textContent = "Kept.";
        await kept(item, list);
      } catch (error) { told.textContent = error.message; }
    });
    return [box, list];
  };

  const show = (item, list, marks) => {
    list.replaceChildren(...marks.filter((mark) => mark.item_id === item.id).map((mark) => make("li", said(item, mark))));
  };

  const MOST = 500;
  const all = (marks) => {
    if (!marks.length) return [make("p", "No item is marked yet.", "soft")];
    const table = make("table"), head = table.createTHead().insertRow(), body = table.createTBody();
    for (const title of ["item", "mark", "right key", "note", "by", "when"]) { const cell = make("th", title); cell.scope = "col"; head.append(cell); }
    for (const mark of marks.slice(0, MOST)) {
      const row = body.insertRow(), link = make("a", mark.item_id);
      link.href = "#" + new URLSearchParams({ item: mark.item_id });
      row.insertCell().append(link);
      for (const text of [mark.kind, mark.option ?? "", mark.note, mark.by, mark.at.slice(0, 16).replace("T", " ")]) row.append(make("td", text));
    }
    const box = make("div", null, "scroll");
    box.tabIndex = 0; box.setAttribute("role", "region"); box.setAttribute("aria-label", "List of marks"); box.append(table);
    return marks.length > MOST ? [make("p", "The first " + MOST + " of " + marks.length + ".", "soft"), box] : [box];
  };
  return { form, show, all };
})();
