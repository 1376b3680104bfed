// What pages do better with a script. Every page works without it.
"use strict";

/** Buttons that copy what stands beside them. */
function copyButtons() {
  for (const box of document.querySelectorAll(".copy")) {
    const code = box.querySelector("code");
    if (!code || !navigator.clipboard) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small quiet";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy " + (box.dataset.what || "text"));
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.textContent.trim());
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    box.append(button);
  }
}

/** Acts that cannot be taken back ask once more. */
function confirmations() {
  for (const form of document.querySelectorAll("form[data-confirm]")) {
    form.addEventListener("submit", (event) => {
      if (!window.confirm(form.dataset.confirm)) event.preventDefault();
    });
  }
}

/** Times in the reader's own zone. */
function times() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.textContent;
    time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
}

/** A form is sent once. */
function sentOnce() {
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      setTimeout(() => { for (const button of form.querySelectorAll("button")) button.disabled = true; });
    });
  }
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const button of document.querySelectorAll("form button")) button.disabled = false;
  });
}

/** A client secret typed in here goes into the lines to copy, and nowhere else. */
function secretInLines() {
  const input = document.querySelector("input[data-fills]");
  if (!input) return;
  input.closest(".field").hidden = false;
  const lines = [...document.querySelectorAll("code")].filter((code) => code.textContent.includes(input.dataset.fills));
  const texts = lines.map((code) => code.textContent);
  input.addEventListener("input", () => {
    const quoted = input.value.replaceAll("'", "'\\''");
    lines.forEach((code, nth) => {
      code.textContent = input.value ? texts[nth].replaceAll(input.dataset.fills, quoted) : texts[nth];
    });
  });
}

/** Selects that narrow a list do so at once. */
function autoSubmit() {
  for (const select of document.querySelectorAll("select[data-submit]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
}

copyButtons();
times();
confirmations();
sentOnce();
secretInLines();
autoSubmit();
