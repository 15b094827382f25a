// The filters of the HTML report: by rule, severity, state, file and text; what is chosen stands in the address, so that a
// view can be passed on. Everything shown is already in the page.
"use strict";
(function () {
  const findings = Array.from(document.querySelectorAll("article"));
  const boxes = Array.from(document.querySelectorAll("nav input[type=checkbox]"));
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const text = new Map(findings.map((f) => [f, f.textContent.toLowerCase()]));

  // Of one group ("rule", "file" …): the values ticked. None ticked is the same as all.
  function ticked(group) {
    const values = boxes.filter((b) => b.name === group && b.checked).map((b) => b.value);
    return values.length ? new Set(values) : null;
  }

  function apply() {
    const groups = ["rule", "severity", "state", "file"].map((g) => [g, ticked(g)]).filter((g) => g[1]);
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const f of findings) {
      const wanted = groups.every(([g, values]) => values.has(f.dataset[g])) && words.every((w) => text.get(f).includes(w));
      f.hidden = !wanted;
      n += wanted;
    }
    shown.textContent = n === findings.length ? `${n} shown` : `${n} of ${findings.length} shown`;
    const state = new URLSearchParams();
    if (search.value) state.set("text", search.value);
    for (const b of boxes) if (b.checked) state.append(b.name, b.value);
    history.replaceState(null, "", "#" + state);
  }

  function restore() {
    const state = new URLSearchParams(location.hash.slice(1));
    if (findings.some((f) => "#" + f.id === location.hash)) return;
    search.value = state.get("text") || "";
    for (const b of boxes) b.checked = state.getAll(b.name).includes(b.value);
  }

  document.querySelector("nav").addEventListener("input", apply);
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && document.activeElement !== search) {
      e.preventDefault();
      search.focus();
    } else if (e.key === "Escape" && document.activeElement === search) {
      search.value = "";
      apply();
    }
  });
  document.getElementById("reset").addEventListener("click", () => {
    search.value = "";
    for (const b of boxes) b.checked = false;
    apply();
  });
  restore();
  if (!findings.some((f) => "#" + f.id === location.hash)) apply();
})();
