// Rows that are chosen: all of the page with one box, and how many they are. Without this file there are buttons for both.
"use strict";
(() => {
  const form = document.getElementById("choose");
  if (!form) return;
  const boxes = [...form.querySelectorAll("input[name=id]")];
  const all = form.querySelector("[data-all]");
  const box = all.querySelector("input");
  const act = form.querySelector("[data-chosen]");
  const text = act.textContent;
  function count() {
    const chosen = boxes.filter((each) => each.checked).length;
    box.checked = chosen === boxes.length;
    box.indeterminate = chosen > 0 && chosen < boxes.length;
    act.disabled = chosen === 0;
    act.textContent = chosen ? `Act on the ${chosen} chosen` : text;
  }
  all.hidden = false;
  box.addEventListener("change", () => {
    for (const each of boxes) each.checked = box.checked;
    count();
  });
  form.addEventListener("change", count);
  window.addEventListener("pageshow", count);
  count();
})();
