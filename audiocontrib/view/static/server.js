"use strict";
// Asks the server of `audiocontrib view`. A bundle has another file of this name that reads what lies beside it.
const server = (() => {
  const told = async (answer) => {
    const said = await answer.json().catch(() => ({ error: answer.status + " " + answer.statusText }));
    if (!answer.ok) throw new Error(said.error);
    return said;
  };
  const address = (path, words) => {
    const kept = Object.entries(words).filter(([, word]) => word !== "" && word !== undefined && word !== null);
    return path + "?" + new URLSearchParams(kept);
  };
  const get = async (path, words = {}) => told(await fetch(address(path, words)));
  const post = async (path, said) => told(await fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(said),
  }));
  return {
    live: true,
    runs: () => get("api/runs"),
    run: (run) => get("api/run", { run }),
    state: (run) => get("api/state", { run }),
    items: (run, words) => get("api/items", { run, ...words }),
    item: (run, item, parts) => get("api/item", { run, item, parts }),
    sound: async (run, item, condition, model) => {
      const answer = await fetch(address("api/sound", { run, item, condition, model }));
      if (!answer.ok) await told(answer);
      return { blob: await answer.blob(), heard: answer.headers.get("x-samples") };
    },
    marks: (run) => get("api/marks", { run }),
    marksAddress: (run, format) => address("api/marks", { run, format }),
    mark: (said) => post("api/mark", said),
    sql: (run, sql) => post("api/sql", { run, sql }),
    report: (run) => address("report", { run }),
  };
})();
