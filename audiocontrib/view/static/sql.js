"use strict";
// The SQL box.
const sqlBox = (run) => {
  const { make } = itemView;
  const form = document.getElementById("sql-form"), text = document.getElementById("sql-text");
  const told = document.getElementById("sql-told"), rows = document.getElementById("sql-rows");
  const table = (found) => {
    const made = make("table"), head = made.createTHead().insertRow(), body = made.createTBody(), box = make("div", null, "scroll");
    for (const name of found.columns) { const cell = make("th", name); cell.scope = "col"; head.append(cell); }
    for (const row of found.rows) {
      const line = body.insertRow();
      for (const value of row) {
        const number = typeof value === "number";
        line.append(make("td", value === null ? "–" : number ? String(Number(value.toPrecision(6))) : typeof value === "object" ? JSON.stringify(value) : String(value), number ? "n" : "text"));
      }
    }
    box.tabIndex = 0; box.setAttribute("role", "region"); box.setAttribute("aria-label", "Result"); box.append(made);
    return box;
  };
  const ask = async () => {
    told.textContent = "Running…";
    try {
      const found = await server.sql(run, text.value);
      told.textContent = found.rows.length + " rows" + (found.more ? ", and more that are not shown" : "") + ", " + found.seconds + " s";
      rows.replaceChildren(table(found));
    } catch (error) { told.textContent = error.message; rows.replaceChildren(); }
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(); } });
};
