// The menu, and the pages that it leads to: settings, privacy, and what else is no part of the conversation.
import { announce, clear, fromServer, tell } from "./app.js";
import { element, kept, keys, menu, words } from "./page.js";
import { command, once, reasonOf, tap } from "./server.js";
import { openSheet } from "./sheet.js";
import { link } from "./turns.js";

const IN_CONVERSATION = new Set(["play"]);

export function openMenu() {
  const sheet = openSheet(words.menu);
  const entry = (label, onclick) => element("button", { type: "button", onclick }, label);
  const entries = menu.map(({ label, command: name }) =>
    entry(label, () => {
      sheet.close();
      open(name, label);
    }),
  );
  entries.push(
    entry(words.look, () => {
      sheet.close();
      openLook();
    }),
    entry(words.clear, () => {
      sheet.close();
      askToClear();
    }),
  );
  sheet.body.append(element("div", { class: "list" }, ...entries));
}

async function open(name, label) {
  if (IN_CONVERSATION.has(name)) {
    try {
      await tell(fromServer(await command(name)));
    } catch (error) {
      await tell({ text: reasonOf(error) });
    }
    return;
  }
  const shown = { text: words.looking, rows: [], isOutdated: false };
  const sheet = openSheet(label, () => shown.isOutdated && location.reload());
  draw(sheet.body, shown);
  try {
    Object.assign(shown, fromServer(await command(name)));
  } catch (error) {
    shown.text = reasonOf(error);
  }
  draw(sheet.body, shown);
}

function draw(body, shown) {
  const held = body.contains(document.activeElement) ? document.activeElement.textContent : null;
  const onTap = (button, key) => tapped(body, shown, button, key);
  body.replaceChildren(
    element("p", { class: "text" }, shown.text),
    ...(shown.note ? [element("p", { class: "note" }, shown.note)] : []),
    ...(shown.picture ? [pictured(shown)] : []),
    ...(shown.file ? [link(shown.file)] : []),
    ...shown.rows.map((row) => keys(row, onTap)),
  );
  if (held === null) return;
  const all = [...body.querySelectorAll("button")];
  (all.find((each) => each.textContent === held) ?? all[0])?.focus();
}

function pictured({ picture, note }) {
  const src = URL.createObjectURL(picture.blob);
  return element("img", { class: "shown", src, alt: note, onload: () => URL.revokeObjectURL(src) });
}

async function tapped(body, shown, button, key) {
  const fail = (reason) => {
    shown.note = reason;
    announce(reason);
  };
  await once(key, () => tapOn(shown, button), fail);
  draw(body, shown);
}

// Tap a button. A page in another language than the person's from now on is loaded anew: at once, or, if it says that
// they were forgotten, once that has been read.
async function tapOn(shown, button) {
  const reply = await tap(button.token, null);
  if (reply.has_forgotten) await forget();
  shown.isOutdated = reply.language !== document.documentElement.lang;
  if (shown.isOutdated && !reply.has_forgotten) location.reload();
  if (reply.rows) shown.rows = reply.rows;
  if (reply.text !== null) shown.text = reply.text;
  shown.picture = fromServer(reply).picture;
  shown.note = reply.is_obvious || reply.notice === reply.text ? "" : reply.notice;
  announce(reply.text ?? reply.notice);
}

// What this browser has of a person who wanted to be forgotten goes, too.
async function forget() {
  kept.set("chosen", "");
  await clear();
}

function askToClear() {
  const sheet = openSheet(words.clear);
  const answer = (label, onclick) => element("button", { type: "button", onclick }, label);
  sheet.body.append(
    element("p", { class: "text" }, words.clear_asks),
    element(
      "div",
      { class: "keys" },
      answer(words.keep, sheet.close),
      answer(words.clear_yes, async () => {
        await clear();
        sheet.close();
      }),
    ),
  );
}

function openLook() {
  const sheet = openSheet(words.look);
  const root = document.documentElement;
  const looks = { "": words.look_system, light: words.look_light, dark: words.look_dark };
  const choices = Object.entries(looks).map(([look, label]) =>
    element(
      "button",
      {
        type: "button",
        "aria-pressed": String((root.dataset.look ?? "") === look),
        onclick: () => {
          if (look) root.dataset.look = look;
          else delete root.dataset.look;
          kept.set("look", look);
          for (const [index, each] of choices.entries()) {
            each.setAttribute("aria-pressed", String(Object.keys(looks)[index] === look));
          }
        },
      },
      label,
    ),
  );
  sheet.body.append(element("div", { class: "keys" }, ...choices));
}
