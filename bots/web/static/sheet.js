// Sheets: what slides in over the conversation, and goes with Escape, with "back", or with a tap beside it.
import { element, words } from "./page.js";

let opened = 0;

// Open a sheet; return its body, and a function that closes it.
export function openSheet(title, onClose = () => {}) {
  const body = element("div", { class: "body" });
  const titled = `sheet-title-${(opened += 1)}`;
  const close = element("button", { type: "button", class: "plain", onclick: () => sheet.close() }, words.close);
  let isBeside = false; // whether the pointer went down beside it: a selection of text may end there, too
  const sheet = element(
    "dialog",
    {
      class: "sheet",
      "aria-labelledby": titled,
      onpointerdown: ({ target }) => (isBeside = target === sheet),
      onclick: ({ target }) => target === sheet && isBeside && sheet.close(),
    },
    element("header", {}, element("h2", { id: titled }, title), close),
    body,
    element("p", { class: "unseen", "aria-live": "polite", "data-said": true }),
  );
  sheet.addEventListener("close", () => {
    sheet.remove();
    onClose();
  });
  document.body.append(sheet);
  sheet.showModal();
  return { body, close: () => sheet.close() };
}
