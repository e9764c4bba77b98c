// The words that the server put into the page, the menu, and limits; and how elements are made.
export const { words, menu, limits } = JSON.parse(document.getElementById("data").textContent);

// A sentence with its placeholders filled in.
export function say(name, values = {}) {
  return words[name].replace(/\{(\w+)\}/g, (_, placeholder) => values[placeholder]);
}

// Make an element; text is always set as text.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const urls = new Map();

// The address of a blob, the same each time.
export function urlOf(blob) {
  if (!urls.has(blob)) urls.set(blob, URL.createObjectURL(blob));
  return urls.get(blob);
}

// Let go of the blobs at these addresses; of all if the conversation was cleared.
export function forgetUrls(gone = new Set(urls.values())) {
  for (const [blob, url] of urls) {
    if (!gone.has(url)) continue;
    URL.revokeObjectURL(url);
    urls.delete(blob);
  }
}

const IS_EMOJI = /^[^\p{L}]*$/u;

// A row of the bot's buttons.
export function keys(row, onTap) {
  return element("div", { class: "keys" }, ...row.map((button) => key(button, onTap)));
}

function key(button, onTap) {
  const tone = button.tone === "quiet" ? "quiet" : "";
  const made = element(
    "button",
    {
      type: "button",
      class: `${IS_EMOJI.test(button.label) ? "emoji" : ""} ${tone}`.trim(),
      "data-key": button.token,
      "aria-label": button.meaning === button.label ? null : button.meaning,
      title: button.meaning === button.label ? null : button.meaning,
      "aria-pressed": button.is_choice ? String(button.tone === "chosen") : null,
      onclick: () => onTap(button, made),
    },
    button.label,
  );
  return made;
}

// Small things that a browser keeps between visits; where it keeps none, the page works without.
export const kept = {
  get(name) {
    try {
      return localStorage.getItem(`mugmoji.${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      if (value) localStorage.setItem(`mugmoji.${name}`, value);
      else localStorage.removeItem(`mugmoji.${name}`);
    } catch {
      // nothing is kept
    }
  },
};
