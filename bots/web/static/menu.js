// The menu, and the pages that it leads to: settings, privacy, and what else is no part of the conversation.
import { addSaid, announce, clear, fromServer } from "./app.js";
import { element, kept, keys, menu, words } from "./page.js";
import { Refused, command, tap } from "./server.js";
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
      const reply = fromServer(await command(name));
      announce(reply.text);
      await addSaid(reply);
    } catch (error) {
      await addSaid({ text: problem(error) });
    }
    return;
  }
  const sheet = openSheet(label);
  const shown = { text: words.looking, rows: [] };
  draw(sheet.body, shown);
  try {
    Object.assign(shown, fromServer(await command(name)));
  } catch (error) {
    shown.text = problem(error);
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
  if (key.getAttribute("aria-busy")) return;
  key.setAttribute("aria-busy", "true");
  try {
    const reply = await tap(button.token, null);
    if (reply.has_forgotten) await forget();
    if (reply.language !== document.documentElement.lang) {
      location.reload();
      return;
    }
    if (reply.rows) shown.rows = reply.rows;
    if (reply.text !== null) shown.text = reply.text;
    shown.picture = fromServer(reply).picture;
    shown.note = reply.is_obvious || reply.notice === reply.text ? "" : reply.notice;
    announce(reply.text ?? reply.notice);
  } catch (error) {
    shown.note = problem(error);
  }
  draw(body, shown);
}

// What this browser has of a person who wanted to be forgotten goes, too.
async function forget() {
  kept.set("chosen", "");
  await clear();
}

function problem(error) {
  return error instanceof Refused ? error.message : words.tap_lost;
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
