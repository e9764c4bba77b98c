// The sheet with all emoji that may fit a face: those chosen lately and often, and a search.
import { element, kept, words } from "./page.js";
import { openSheet } from "./sheet.js";

const MOST_RECENT = 8;

// Let a person choose among these buttons; return the one they chose, or null.
export function chooseEmoji(buttons, title = words.more_emoji) {
  return new Promise((resolve) => {
    const { body, close } = openSheet(title, () => resolve(null));
    const choose = (button) => {
      resolve(button);
      close();
    };
    const found = element("div");
    const search = element("input", {
      type: "search",
      class: "search",
      "aria-label": words.search,
      placeholder: words.search,
    });
    search.addEventListener("input", () => found.replaceChildren(...sections(buttons, search.value, choose)));
    found.append(...sections(buttons, "", choose));
    body.append(search, found);
  });
}

function sections(buttons, wanted, choose) {
  const query = wanted.trim().toLocaleLowerCase();
  if (query) {
    const fit = buttons.filter((button) => `${button.meaning} ${button.label}`.toLocaleLowerCase().includes(query));
    return fit.length ? [grid(fit, choose)] : [element("p", { role: "status" }, words.none_found)];
  }
  const chosen = JSON.parse(kept.get("chosen") ?? "[]");
  const here = new Map(buttons.map((button) => [button.label, button]));
  const counts = new Map();
  for (const emoji of chosen) counts.set(emoji, (counts.get(emoji) ?? 0) + 1);
  const recent = [...new Set(chosen)].filter((emoji) => here.has(emoji)).slice(0, MOST_RECENT);
  const often = [...counts.keys()].filter((emoji) => here.has(emoji) && counts.get(emoji) > 1);
  often.sort((one, other) => counts.get(other) - counts.get(one));
  const parts = [
    [words.recent, recent],
    [words.often, often.slice(0, MOST_RECENT)],
  ].flatMap(([title, emoji]) =>
    titled(
      title,
      emoji.map((each) => here.get(each)),
      choose,
    ),
  );
  return [...parts, ...titled(words.all, buttons, choose)];
}

function titled(title, buttons, choose) {
  return buttons.length ? [element("h3", {}, title), grid(buttons, choose)] : [];
}

function grid(buttons, choose) {
  const keys = buttons.map((button) =>
    element(
      "button",
      {
        type: "button",
        "aria-label": button.meaning,
        title: button.meaning,
        "aria-pressed": String(button.tone === "chosen"),
        onclick: () => choose(button),
      },
      button.label,
    ),
  );
  return element("div", { class: "grid" }, ...keys);
}
