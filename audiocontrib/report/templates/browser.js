"use strict";
// The list of items: filters, sorting, pages, keyboard; what is chosen stands in the address, so that it can be sent.
//
// source, which may ask a server:
//   columns: [[key, title, kind]], kind n: a number                  values: {filter: [value]}, in the order shown
//   find(query): a promise of {items, found, of}; query: the fields of the form by name, sort ("-score": falling),
//     from and count (which of those found)
//   item(id): a promise of the whole item, or null                   clip(item): the address of its recording, or null
// The page has a form #filters (its selects are named as in values; input named find), #count, table #browser,
// buttons #previous and #next.
const itemBrowser = (source) => {
  const { draw: drawItem, make, shown } = itemView;
  const PAGE = 50;
  const form = document.getElementById("filters"), count = document.getElementById("count");
  const table = document.getElementById("browser"), body = table.tBodies[0], head = table.tHead.rows[0];
  const turn = { previous: -1, next: 1 };
  let state = {}, asked = 0, timer = 0, found = 0;

  const fields = () => [...form.elements].filter((field) => field.name);
  const fill = () => {
    for (const select of form.querySelectorAll("select")) {
      for (const value of source.values[select.name] ?? []) {
        const option = make("option", value);
        option.value = value; select.append(option);
      }
      select.closest("label").hidden = (source.values[select.name] ?? []).length < (select.dataset.least ?? 2);
    }
    for (const [key, title, kind] of source.columns) {
      const cell = make("th", null, kind === "n" ? "n" : ""), button = make("button", title);
      button.type = "button";
      button.addEventListener("click", () => {
        const falling = state.sort === key || (state.sort !== "-" + key && kind === "n");
        go({ sort: (falling ? "-" : "") + key, page: "" });
      });
      cell.scope = "col"; cell.dataset.key = key; cell.append(button); head.append(cell);
    }
  };

  // the state in the address; an address without "=" is a place on the page
  const read = () => {
    const text = location.hash.slice(1);
    return text.includes("=") ? Object.fromEntries(new URLSearchParams(text)) : {};
  };
  const address = (values) => {
    const kept = Object.entries(values).filter(([, value]) => value !== "" && value !== undefined && value !== null);
    return "#" + new URLSearchParams(kept).toString();
  };
  const go = (change, focus) => {
    state = { ...state, ...change };
    const to = address(state);
    if (to !== "#" || location.hash.includes("=")) history.replaceState(null, "", to === "#" ? "#items" : to);
    return refresh(focus);
  };

  const rows = () => [...body.querySelectorAll("tr.item")];
  const opener = (row) => row.querySelector("button");
  const close = (row) => {
    if (opener(row).getAttribute("aria-expanded") !== "true") return false;
    opener(row).setAttribute("aria-expanded", "false");
    row.nextSibling.remove();
    return true;
  };
  const open = async (row) => {
    const item = await source.item(row.dataset.id);
    if (!item || opener(row).getAttribute("aria-expanded") === "true") return;
    const line = make("tr", null, "detail"), cell = make("td");
    cell.colSpan = source.columns.length;
    cell.append(drawItem(item, { clip: source.clip(item), link: location.pathname + location.search + address({ item: item.id }) }));
    if (source.more) cell.append(...source.more(item));
    line.append(cell); row.after(line);
    opener(row).setAttribute("aria-expanded", "true");
  };
  const remember = (id) => {
    state.item = id;
    history.replaceState(null, "", address(state) === "#" ? "#items" : address(state));
  };
  const toggle = (row) => {
    if (close(row)) return remember("");
    remember(row.dataset.id);
    return open(row);
  };

  const line = (item) => {
    const row = make("tr", null, "item");
    row.dataset.id = item.id;
    source.columns.forEach(([key, , kind], place) => {
      const cell = make("td", place ? shown(item[key]) : null, kind);
      if (!place) {
        const button = make("button", shown(item[key]));
        button.type = "button"; button.setAttribute("aria-expanded", "false"); cell.append(button);
      }
      row.append(cell);
    });
    row.addEventListener("click", (event) => {
      if (!String(getSelection()) || event.target.closest("button")) toggle(row);
    });
    return row;
  };

  const refresh = async (focus) => {
    const mine = ++asked, page = Math.max(0, Number(state.page) || 0);
    const query = { ...state, from: page * PAGE, count: PAGE };
    const told = await source.find(query);
    if (mine !== asked) return; // a later question was asked meanwhile
    found = told.found;
    if (page && page * PAGE >= found) return go({ page: "" }, focus);
    const last = Math.min(found, (page + 1) * PAGE);
    count.textContent = found > PAGE ? (page * PAGE + 1) + "–" + last + " of " + found + " (of " + told.of + ")" : found + " of " + told.of;
    for (const cell of head.children) {
      const falling = state.sort === "-" + cell.dataset.key;
      if (falling || state.sort === cell.dataset.key) cell.setAttribute("aria-sort", falling ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    document.getElementById("previous").disabled = !page;
    document.getElementById("next").disabled = last >= found;
    document.getElementById("pages").hidden = found <= PAGE;
    body.replaceChildren(...told.items.map(line));
    if (state.item) await show(state.item);
    const own = rows();
    if (focus !== undefined && own.length) opener(own.at(focus)).focus();
  };
  // the item of the address; one that the filters leave out stands first
  const show = async (id) => {
    let row = rows().find((one) => one.dataset.id === id);
    if (!row) {
      const item = await source.item(id);
      if (!item) { count.textContent += "; no item " + id + " here"; return; }
      row = line(item);
      body.prepend(row);
    }
    await open(row);
  };
  const follow = async () => {
    state = read();
    for (const field of fields()) field.value = state[field.name] ?? "";
    await refresh();
    if (state.item) body.querySelector('[aria-expanded="true"]')?.scrollIntoView({ block: "start" });
  };

  const step = (by) => {
    const pages = Math.ceil(found / PAGE), page = (Number(state.page) || 0) + by;
    if (page >= 0 && page < pages) go({ page: page || "", item: "" }, by > 0 ? 0 : -1);
  };
  table.addEventListener("keydown", (event) => {
    const all = rows(), inside = event.target.closest("tr.detail"), own = inside ? inside.previousSibling : event.target.closest("tr.item");
    const place = all.indexOf(own);
    if (place < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") { if (close(own)) remember(""); opener(own).focus(); return; }
    if (inside) return; // arrows there belong to the player and the scrolling
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (all[to]) opener(all[to]).focus(); else step(to < 0 ? -1 : 1);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    event.preventDefault(); form.elements.find.focus();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    const change = { [event.target.name]: event.target.value, page: "", item: "" };
    if (event.target.name === "find") timer = setTimeout(() => go(change), source.patience ?? 0); else go(change);
  });
  document.getElementById("clear").addEventListener("click", () => { form.reset(); state = {}; go({}); });
  for (const [id, by] of Object.entries(turn)) document.getElementById(id).addEventListener("click", () => step(by));
  addEventListener("hashchange", () => { if (location.hash.includes("=")) follow(); });
  fill();
  follow();
  return { refresh, go };
};
