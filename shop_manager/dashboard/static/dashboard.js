// What the pages do beyond plain HTML: keys, ids that are copied, and the word that a page is not up to date.
// Without this file everything still works; nothing in here decides anything.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const live = byId("live");
  const { now, refresh, told } = window.clerkTimes;

  // --- up to date, or not -------------------------------------------------------------------------------------------

  // The server sends something every 10 s (live.py).
  const SILENT_AFTER = 20_000;
  const TRY_EVERY = 5_000;
  const STALE = "Not up to date: ";
  let heard = live ? live.dataset.checked : "";
  let connection = null;
  let heardAt = Date.now();
  let triedAt = heardAt;
  function show(notice) {
    for (const each of ["stale", "ended"]) byId(each).hidden = each !== notice;
    const title = document.title.replace(STALE, "");
    document.title = notice ? STALE + title : title;
  }
  function since() {
    const [at, today] = [told(heard), told(new Date(now()).toISOString())];
    return at.day === today.day ? at.minute : `${at.day} ${at.minute}`;
  }
  // `status` is that of the answer, if there was one: 401 when the login has ended.
  function lost(status) {
    for (const each of document.querySelectorAll(".stale-since")) each.textContent = since();
    show(status === 401 || (status === undefined && !byId("ended").hidden) ? "ended" : "stale");
  }
  // htmx looks for a lost connection, but not for one that it never had, nor for one over which nothing comes.
  function watch() {
    if (document.hidden) return;
    const at = Date.now();
    if (at - heardAt > SILENT_AFTER) lost();
    if (at - Math.max(heardAt, triedAt) < (connection ? SILENT_AFTER : TRY_EVERY)) return;
    triedAt = at;
    if (connection) connection.abortController.abort();
    else htmx.trigger(live, "connect");
  }
  // Parts of the page are replaced while somebody is in them: the line with the focus, what was unfolded, and where
  // somebody reads, stay.
  const FOCUSED = "[data-line], [data-act], main a, main summary";
  let focused = "";
  let unfolded = [];
  let reading = null;
  const placeOf = (each) => {
    const here = each.closest(FOCUSED);
    return here ? here.id || here.getAttribute("href") || here.closest("[id]")?.id : "";
  };
  const topOf = (each) => each.getBoundingClientRect().top;
  function readingAt() {
    const form = document.activeElement.closest("[data-kept]");
    const story = byId("story");
    const within = story && topOf(story) < 0 ? story : byId("main");
    const at = form || (scrollY && [...within.querySelectorAll("[id]")].find((each) => topOf(each) >= 0));
    return at ? { id: at.id, top: topOf(at) } : null;
  }
  function keepPlace(event) {
    const message = event.detail.message;
    message.data = letBe(message.data);
    focused = placeOf(document.activeElement);
    unfolded = [...document.querySelectorAll("details[id]")].map((each) => [each.id, each.open]);
    reading = readingAt();
  }
  function findPlace() {
    for (const [id, open] of unfolded) if (byId(id)) byId(id).open = open;
    if (reading && byId(reading.id)) scrollBy({ top: topOf(byId(reading.id)) - reading.top, behavior: "instant" });
    if (!focused || document.activeElement !== document.body) return;
    const all = [...document.querySelectorAll(FOCUSED)];
    all.find((each) => placeOf(each) === focused)?.focus({ preventScroll: true });
  }

  // --- forms that somebody is at ------------------------------------------------------------------------------------

  // Such a form stays as it is, with the version of the order that was seen; what it would be now waits here.
  const waiting = new Map();
  const PART = /<hx-partial hx-target="#([\w-]+)"[^]*?<\/hx-partial>/g;
  const typed = (each) => {
    if (each.type === "checkbox" || each.type === "radio") return each.checked !== each.defaultChecked;
    if (each.options) return each.selectedIndex !== Math.max(0, [...each.options].findIndex((one) => one.defaultSelected));
    return each.value !== each.defaultValue;
  };
  const inUse = (place) =>
    place.contains(document.activeElement) ||
    place.querySelector("[data-typed]") !== null ||
    [...place.querySelectorAll("input:not([type=hidden]), textarea, select")].some(typed);
  function letBe(data) {
    const later = [...waiting].filter(([id]) => !inUse(byId(id)) && !data.includes(`hx-target="#${id}"`));
    const all = data + later.map(([, part]) => part).join("");
    return all.replace(PART, (part, id) => {
      const place = byId(id);
      waiting.delete(id);
      if (!place?.matches("[data-kept]") || !inUse(place)) return part;
      waiting.set(id, part);
      sayNewer(place, part);
      return "";
    });
  }
  // That the order has changed under the form, and why the act is not possible any more, if so.
  function sayNewer(place, part) {
    const said = place.querySelector(".newer");
    if (!said) return;
    const off = new DOMParser().parseFromString(part, "text/html").querySelector(".act.off p");
    off?.querySelector(".act-name")?.remove();
    said.dataset.words ??= said.textContent;
    const words = off ? `${said.dataset.words} As it is now: ${off.textContent.trim()}` : said.dataset.words;
    if (said.hidden || said.textContent !== words) said.textContent = words;
    said.hidden = false;
  }
  // Behind another tab nothing is asked for: whoever comes back may see what is hours old until the first answer.
  function seen() {
    triedAt = Date.now();
    watch();
  }
  if (live) {
    document.addEventListener("htmx:sse:error", (event) => lost(event.detail.status));
    document.addEventListener("htmx:error", (event) => { if (event.target === live) lost(); });
    document.addEventListener("htmx:response:error", (event) => {
      if (event.target === live) lost(event.detail.ctx.response.status);
    });
    document.addEventListener("htmx:sse:after:connection", (event) => { connection = event.detail.connection; });
    document.addEventListener("htmx:sse:close", () => { connection = null; });
    document.addEventListener("htmx:sse:before:message", keepPlace);
    document.addEventListener("htmx:sse:after:message", () => {
      refresh();
      findPlace();
      heard = byId("pulse").querySelector("time").dateTime;
      heardAt = Date.now();
      show(null);
    });
    window.addEventListener("offline", () => lost());
    document.addEventListener("visibilitychange", seen);
    setInterval(watch, 1000);
  }

  // An act that comes back after a login: its page leads on to its form.
  document.querySelector("form[data-at-once]")?.requestSubmit();

  // --- ids that are copied -------------------------------------------------------------------------------------------

  const COPIED_FOR = 2_000;
  // Without TLS a browser gives no clipboard; then the whole id is marked, and copied as by hand.
  async function copied(text, beside) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      if (beside) getSelection().selectAllChildren(beside);
      return document.execCommand("copy");
    }
  }
  document.documentElement.classList.add("scripted");
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button[data-copy]");
    if (!button) return;
    const done = await copied(button.dataset.copy, button.previousElementSibling);
    byId("said").textContent = done ? `copied ${button.dataset.copy}` : "not copied: the browser does not allow it";
    button.classList.toggle("copied", done);
    button.title = done ? "Copied" : "The browser does not allow it: mark the id and copy it";
    setTimeout(() => button.classList.remove("copied"), COPIED_FOR);
  });

  // --- keys ---------------------------------------------------------------------------------------------------------

  const lines = () => [...document.querySelectorAll("[data-line]")].filter((each) => each.checkVisibility());

  function move(by) {
    const all = lines();
    if (!all.length) return;
    const here = all.indexOf(document.activeElement.closest?.("[data-line]"));
    const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + by, 0), all.length - 1);
    all[next].focus();
    all[next].scrollIntoView({ block: "nearest" });
  }

  // The act of the line with the focus, else the first of the page: a link is followed, a field is gone to.
  function act() {
    const line = document.activeElement.closest?.("[data-line]");
    const found = line?.closest("li, tr, section")?.querySelector("[data-act]") || document.querySelector("[data-act]");
    if (found?.matches("a")) found.click();
    else if (found) found.focus();
    else if (document.querySelector("details.act")) then = ACTS;
  }
  // Of the page of one Clerk: opens the form of an act, at its first field.
  function open(name) {
    const form = byId(`act-${name}`);
    if (!form) return;
    form.open = true;
    form.querySelector("input:not([type=hidden]), select, textarea")?.focus();
    form.scrollIntoView({ block: "nearest" });
  }
  const pick = () => document.activeElement.closest?.("tr")?.querySelector("input[type=checkbox]")?.click();

  const ACTS = {
    r: () => open("retry"),
    u: () => open("undo"),
    e: () => open("extend"),
    s: () => open("settle"),
    n: () => open("note"),
  };
  const links = [...document.querySelectorAll("a[data-go]")];
  const PLACES = Object.fromEntries(links.map((each) => [each.dataset.go, () => each.click()]));
  const KEYS = {
    "/": () => byId("search")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    a: act,
    x: pick,
    g: () => { then = PLACES; },
    "?": () => byId("keys")?.showModal(),
  };
  let then = KEYS; // what the next key means

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea, dialog, [contenteditable]");
    if (event.key === "Escape" && event.target.id === "search") event.target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.key === "Shift") return;
    const meant = then[event.key];
    then = KEYS;
    if (meant) {
      event.preventDefault();
      meant();
    }
  });
})();
