// Times of the pages: relative ones go on, and moments are shown in the time that the reader has chosen (settings).
// Without this file they stay as the server wrote them: relative to when it was asked, and in UTC.
"use strict";
window.clerkTimes = (() => {
  const STEPS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const isLocal = document.body.dataset.clock === "local";

  // The server's clock is the one that counts: ours may be wrong by minutes.
  const live = document.getElementById("live");
  const ahead = live ? Date.now() - Date.parse(live.dataset.checked) : 0;
  const now = () => Date.now() - ahead;

  // As formatting.py writes them.
  function duration(seconds) {
    const at = STEPS.findIndex(([size]) => seconds >= size);
    if (at < 0) return "0 s";
    const [size, unit] = STEPS[at];
    let told = `${Math.floor(seconds / size)} ${unit}`;
    if (size >= 3600) {
      const [small, name] = STEPS[at + 1];
      const rest = Math.floor((seconds % size) / small);
      if (rest) told += ` ${rest} ${name}`;
    }
    return told;
  }

  function relative(each) {
    const distance = (Date.parse(each.dateTime) - now()) / 1000;
    const told = duration(Math.abs(distance));
    const due = Math.abs(distance) < 1 || (each.dataset.relative === "coming" && distance < 0);
    return due ? "now" : distance > 0 ? `in ${told}` : `${told} ago`;
  }

  const put = (each, name, text) => { if (each[name] !== text) each[name] = text; };

  // `UTC`, `UTC+2`, `UTC-3:30`: no name of a zone, which may be one of several places.
  function zoneOf(offset) {
    if (!offset) return "UTC";
    const [hours, rest] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
    return `UTC${offset < 0 ? "-" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
  }

  // A moment of the server as it is read here: `{day, minute, short, whole}`, and without its zone, where that is named
  // beside: `{bare, axis, dated, month, hour}`.
  function told(moment) {
    const at = new Date(moment);
    const offset = isLocal ? -at.getTimezoneOffset() : 0;
    const text = new Date(at.getTime() + offset * 60_000).toISOString();
    const zone = zoneOf(offset);
    return {
      zone,
      day: text.slice(0, 10),
      minute: `${text.slice(11, 16)} ${zone}`,
      short: `${text.slice(11, 19)} ${zone}`,
      whole: `${text.slice(0, 10)} ${text.slice(11, 19)} ${zone}`,
      bare: text.slice(11, 19),
      axis: text.slice(11, 16),
      dated: `${text.slice(5, 10)} ${text.slice(11, 16)}`,
      month: text.slice(5, 10),
      hour: text.slice(14, 16) === "00" ? text.slice(11, 13) : text.slice(11, 16),
    };
  }

  const momentOf = (each) => each.dateTime || each.dataset.at;
  const inUtc = (moment) => `${moment.slice(5, 10)} ${moment.slice(11, 16)}`;

  // What a point of a chart, or a cell of the map of hours, says of its stretch of time; UTC after it.
  function stretch({ at, until, says }) {
    const [from, to] = [told(at), until && told(until)];
    const here = `${from.dated}${to ? ` to ${to.axis}` : ""} ${from.zone}`;
    const utc = from.zone === "UTC" ? "" : ` (${inUtc(at)}${until ? ` to ${until.slice(11, 16)}` : ""} UTC)`;
    return until ? `${says}, ${here}${utc}` : `${here}${utc}: ${says}`;
  }

  function refreshCharts() {
    let before = "";
    for (const each of document.querySelectorAll("[data-day]")) {
      const day = told(each.dataset.at).month;
      put(each, "textContent", day === before ? "" : day);
      before = day;
    }
    for (const each of document.querySelectorAll("[data-says]")) {
      const says = stretch(each.dataset);
      const title = each.querySelector("title");
      if (title) put(title, "textContent", says);
      const name = title ? "aria-label" : "title";
      if (each.getAttribute(name) !== says) each.setAttribute(name, says);
    }
    for (const each of document.querySelectorAll("[data-zone-short]")) put(each, "textContent", told(now()).zone);
  }

  function refresh() {
    for (const each of document.querySelectorAll("time[data-relative]")) put(each, "textContent", relative(each));
    if (!isLocal) return;
    for (const each of document.querySelectorAll("time[data-relative]")) {
      const [here, utc] = [told(each.dateTime), each.dateTime.slice(0, 19).replace("T", " ")];
      put(each, "title", here.whole.endsWith(" UTC") ? here.whole : `${here.whole}, ${utc} UTC`);
    }
    for (const each of document.querySelectorAll("[data-clock]")) {
      const moment = momentOf(each);
      if (moment) put(each, "textContent", told(moment)[each.dataset.clock || "whole"]);
    }
    refreshCharts();
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    for (const each of document.querySelectorAll("input[data-zone]")) put(each, "value", zone);
    for (const each of document.querySelectorAll("[data-zone-name]")) put(each, "textContent", zone);
  }

  // Moments in fields, as they are typed here; the form says in which zone that is.
  if (isLocal) {
    for (const each of document.querySelectorAll("input[data-moment]")) {
      const { day, axis } = told(each.dataset.moment);
      each.value = `${day} ${axis}`;
    }
  }
  refresh();
  setInterval(refresh, 1000);
  return { now, refresh, told };
})();
