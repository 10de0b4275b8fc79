// The search of every page while somebody types: Ctrl-K or ⌘K from anywhere, the first hits below the field, arrows.
// Without this file the field is a form like any other.
"use strict";
(() => {
  const field = document.getElementById("search");
  const list = document.getElementById("hits");
  const said = document.getElementById("hits-said");
  if (!field || !list) return;
  const PAUSE = 150;
  let waiting = 0;
  let asked = null;

  const hits = () => [...list.querySelectorAll("a[data-hit]")];

  function hide() {
    clearTimeout(waiting);
    asked?.abort();
    list.hidden = true;
    said.textContent = "";
  }

  function show(html) {
    list.innerHTML = html;
    list.hidden = false;
    const count = hits().length;
    said.textContent = count ? `${count} found, arrow down leads to them` : "nothing found";
  }

  async function ask() {
    asked?.abort();
    asked = new AbortController();
    const address = `${field.form.action}/hits?${new URLSearchParams({ q: field.value })}`;
    try {
      const answer = await fetch(address, { signal: asked.signal, redirect: "error" });
      if (answer.ok) show(await answer.text());
      else hide();
    } catch (error) {
      if (error.name !== "AbortError") hide();
    }
  }

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    if (field.value.trim().length < 2) hide();
    else waiting = setTimeout(ask, PAUSE);
  });

  function move(by) {
    const all = hits();
    const next = all.indexOf(document.activeElement) + by;
    (next < 0 ? field : all[Math.min(next, all.length - 1)])?.focus();
  }

  field.form.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && !list.hidden) {
      event.preventDefault();
      move(by);
    } else if (event.key === "Escape") {
      if (document.activeElement !== field) field.focus();
      hide();
    }
  });

  field.form.addEventListener("focusout", (event) => {
    if (!field.form.contains(event.relatedTarget)) hide();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
})();
