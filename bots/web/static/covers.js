// What covers the faces of a photo, changed by hand: another emoji, a blur or nothing; moved, made larger or smaller. The
// server draws the picture; what is seen here is drawn in the same way.
import { announce } from "./app.js";
import { chooseEmoji } from "./emoji.js";
import { element, say, urlOf, words } from "./page.js";
import { coverImage, coversOf, once, pictureWith, reasonOf } from "./server.js";
import { openSheet } from "./sheet.js";

const STEP = 0.02; // share of the photo that an arrow key moves a cover by
const LONG_STEP = 0.1;
const GROWTH = 1.1;
const SMALLEST = 0.01; // radii, as shares of the photo's longer side
const LARGEST = 1;
const MOST_RADIUS = 2; // that the server tells
const NEW_RADIUS = 0.1;
const MOST_COVERS = 100;
const BLUR_CELLS = 5;
const SPEAK_AFTER_MS = 400;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Let a person change the covers; return { picture, arranged }, the picture as the server has it, or null.
// photo: of the conversation. token: says which picture. before: as arranged the last time, { found, covers }: the number
// of faces that were found, and the covers, first those of these faces.
export function arrange(photo, token, before) {
  return new Promise((resolve) => {
    const sheet = openSheet(words.covers_title, () => resolve(null));
    const editor = { photo, sheet, resolve, covers: [], chosen: 0, names: {} };
    sheet.body.append(element("p", { role: "status" }, words.looking));
    load(editor, token, before).catch((error) => fail(editor, error));
  });
}

async function load(editor, token, before) {
  const { photo, sheet } = editor;
  const image = element("img", { src: urlOf(photo.preview ?? photo.blob), alt: words.your_photo, draggable: "false" });
  const [found] = await Promise.all([coversOf(token, photo.blob), image.decode()]);
  if (found.text) {
    sheet.body.replaceChildren(element("p", { role: "status" }, found.text));
    return;
  }
  editor.names = found.names;
  editor.first = found.covers;
  editor.image = image;
  const known = before?.found === found.covers.length ? before.covers : [];
  editor.covers = found.covers.map((cover, index) => ({ ...cover, ...known[index] }));
  for (const added of known.slice(found.covers.length)) editor.covers.push({ ...newCover(editor), ...added });
  build(editor);
}

function fail(editor, error) {
  editor.sheet.body.replaceChildren(element("p", { role: "status" }, reasonOf(error)));
}

function build(editor) {
  const { sheet, image } = editor;
  editor.stage = element("div", { class: "stage" }, image);
  editor.tools = element("div", { class: "keys" });
  editor.note = element("p", { class: "note", role: "status" });
  const done = element(
    "button",
    {
      type: "button",
      class: "main",
      onclick: () =>
        once(
          done,
          () => finish(editor),
          (reason) => (editor.note.textContent = reason),
        ),
    },
    words.covers_done,
  );
  const hint = element("p", { class: "hint", id: "covers-hint" }, words.covers_hint);
  sheet.body.replaceChildren(editor.stage, hint, editor.tools, editor.note, element("div", { class: "keys" }, done));
  editor.covers.forEach((_, index) => addCover(editor, index));
  choose(editor, 0);
  editor.covers[0].shown.focus();
}

// A cover in the middle of the photo, with the first of these emoji that there is a drawing of.
function newCover({ first, names }, choices = first[0].choices) {
  const emoji = choices.find((each) => each in names) ?? null;
  return { x: 0.5, y: 0.5, radius: NEW_RADIUS, tilt: 0, emoji, choices };
}

function addCover(editor, index) {
  const cover = editor.covers[index];
  cover.shown = element("button", {
    type: "button",
    class: "cover",
    "aria-describedby": "covers-hint",
    onclick: () => choose(editor, index),
    onfocus: () => choose(editor, index),
    onkeydown: (event) => press(editor, cover, event),
    onpointerdown: (event) => drag(editor, cover, event),
  });
  editor.stage.append(cover.shown);
  draw(editor, cover);
}

function choose(editor, index) {
  editor.chosen = index;
  for (const [number, { shown }] of editor.covers.entries()) {
    shown.setAttribute("aria-pressed", String(number === index));
  }
  showTools(editor);
}

// The buttons for the chosen cover; the focus stays on the one that was pressed.
function showTools(editor) {
  const { covers, chosen, tools, first, names } = editor;
  const cover = covers[chosen];
  const held = tools.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const own = first[chosen]?.emoji ?? newCover(editor, cover.choices).emoji;
  const kind = kindOf(cover, own);
  const pressed = (key) => ({ "data-key": key, "aria-pressed": String(kind === key) });
  const named = (name) => ({ "aria-label": name, title: name });
  const quiet = { class: "quiet" };
  tools.replaceChildren(
    tool(drawing(own), () => set(editor, { emoji: own }), { ...pressed("own"), ...named(names[own] ?? own) }),
    kind === "other"
      ? tool(drawing(cover.emoji), () => chooseOther(editor), { ...pressed(kind), ...named(words.cover_other) })
      : tool(words.cover_other, () => chooseOther(editor), pressed("other")),
    tool(words.cover_blur, () => set(editor, { emoji: null }), pressed("blur")),
    tool(words.cover_none, () => set(editor, { isBare: true }), pressed("none")),
    tool("−", () => resize(editor, cover, cover.radius / GROWTH), { ...quiet, ...named(words.cover_smaller) }),
    tool("+", () => resize(editor, cover, cover.radius * GROWTH), { ...quiet, ...named(words.cover_larger) }),
    tool(words.cover_reset, () => set(editor, first[chosen] ?? newCover(editor)), { ...quiet, "data-key": "reset" }),
    covers.length < MOST_COVERS ? tool(words.cover_add, () => add(editor), quiet) : "",
  );
  if (held) [...tools.children].find((each) => each.dataset.key === held)?.focus();
}

function kindOf({ isBare, emoji }, own) {
  if (isBare) return "none";
  if (emoji === null) return "blur";
  return emoji === own ? "own" : "other";
}

function drawing(emoji) {
  return element("img", { class: "drawing", src: coverImage(emoji), alt: "" });
}

function tool(label, onclick, attributes) {
  return element("button", { type: "button", ...attributes, onclick }, label);
}

function set(editor, { x, y, radius, tilt, emoji, isBare = false }) {
  const cover = editor.covers[editor.chosen];
  const wanted = { x, y, radius, tilt, emoji, isBare };
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) cover[name] = value;
  draw(editor, cover);
  showTools(editor);
  announce(cover.shown.getAttribute("aria-label"));
}

function add(editor) {
  editor.covers.push(newCover(editor));
  addCover(editor, editor.covers.length - 1);
  choose(editor, editor.covers.length - 1);
  editor.covers.at(-1).shown.focus();
}

async function chooseOther(editor) {
  const cover = editor.covers[editor.chosen];
  const buttons = cover.choices
    .filter((emoji) => emoji in editor.names)
    .map((emoji) => ({ label: emoji, meaning: editor.names[emoji], tone: emoji === cover.emoji ? "chosen" : "plain" }));
  const chosen = await chooseEmoji(buttons, words.covers_title);
  if (chosen) set(editor, { emoji: chosen.label });
}

function draw(editor, cover) {
  const { image, names, covers } = editor;
  const { shown, x, y, radius, tilt, emoji } = cover;
  const longest = Math.max(image.naturalWidth, image.naturalHeight);
  const place = { left: `${100 * x}%`, top: `${100 * y}%`, width: `${(200 * radius * longest) / image.naturalWidth}%` };
  const layer = Math.round(10_000 * (MOST_RADIUS - radius)); // the smallest on top, as in the picture
  Object.assign(shown.style, place, { zIndex: layer });
  const plain = { none: words.cover_none, blur: words.cover_blur };
  const kind = kindOf(cover, emoji);
  const what = plain[kind] ?? names[emoji] ?? emoji;
  shown.setAttribute("aria-label", say("cover", { number: covers.indexOf(cover) + 1, what }));
  shown.classList.toggle("bare", kind === "none");
  if (cover.drawn !== (plain[kind] ?? emoji)) {
    cover.drawn = plain[kind] ?? emoji;
    const handle = element("span", { class: "handle", onpointerdown: (event) => stretch(editor, cover, event) });
    const drawings = { none: () => "", blur: () => element("canvas") };
    const made = drawings[kind] ?? (() => element("img", { src: coverImage(emoji), alt: "" }));
    shown.replaceChildren(made(), handle);
  }
  const drawn = shown.firstChild;
  if (kind === "blur") blur(image, cover, drawn);
  else if (kind === "own") drawn.style.transform = `rotate(${tilt}deg)`;
}

// Show what is left of a face by a blur. The server does the same, so that nothing else gets into the picture.
function blur(image, { x, y, radius }, canvas) {
  const { naturalWidth: width, naturalHeight: height } = image;
  const reach = radius * Math.max(width, height);
  canvas.width = canvas.height = BLUR_CELLS;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  const part = [x * width - reach, y * height - reach, 2 * reach, 2 * reach];
  context.drawImage(image, ...part, 0, 0, BLUR_CELLS, BLUR_CELLS);
}

function move(editor, cover, x, y) {
  Object.assign(cover, { x: limited(x, 0, 1), y: limited(y, 0, 1) });
  draw(editor, cover);
  tellPlace(editor, cover);
}

function resize(editor, cover, radius) {
  cover.radius = limited(radius, SMALLEST, LARGEST);
  draw(editor, cover);
  tellPlace(editor, cover);
}

function limited(value, least, most) {
  return Math.max(least, Math.min(most, value));
}

// Say where a cover is now, once it rests.
function tellPlace(editor, { x, y, shown }) {
  clearTimeout(editor.speaking);
  editor.speaking = setTimeout(() => {
    const [left, top, size] = [100 * x, 100 * y, parseFloat(shown.style.width)].map(Math.round);
    announce(say("cover_at", { left, top, size }));
  }, SPEAK_AFTER_MS);
}

function press(editor, cover, event) {
  const arrow = ARROWS[event.key];
  if (arrow) {
    const step = event.shiftKey ? LONG_STEP : STEP;
    move(editor, cover, cover.x + step * arrow[0], cover.y + step * arrow[1]);
  } else if (event.key === "+" || event.key === "=") resize(editor, cover, cover.radius * GROWTH);
  else if (event.key === "-" || event.key === "_") resize(editor, cover, cover.radius / GROWTH);
  else if (event.key === "Delete" || event.key === "Backspace") set(editor, { isBare: true });
  else return;
  event.preventDefault();
}

function drag(editor, cover, event) {
  const box = editor.stage.getBoundingClientRect();
  const [x, y] = [cover.x - event.clientX / box.width, cover.y - event.clientY / box.height];
  follow(cover, event, (now) => move(editor, cover, x + now.clientX / box.width, y + now.clientY / box.height));
}

function stretch(editor, cover, event) {
  event.stopPropagation();
  const { image, stage } = editor;
  const box = stage.getBoundingClientRect();
  const middle = { x: box.left + cover.x * box.width, y: box.top + cover.y * box.height };
  const distance = ({ clientX, clientY }) => Math.max(1, Math.hypot(clientX - middle.x, clientY - middle.y));
  const [before, start] = [cover.radius, distance(event)];
  cover.shown.focus();
  if (image.naturalWidth) follow(cover, event, (now) => resize(editor, cover, (before * distance(now)) / start));
}

// Call back with each movement of a pointer until it is lifted.
function follow({ shown }, { pointerId }, onMove) {
  const ended = new AbortController();
  shown.setPointerCapture(pointerId);
  const mine = (action) => (event) => event.pointerId === pointerId && action(event);
  shown.addEventListener("pointermove", mine(onMove), ended);
  for (const kind of ["pointerup", "pointercancel"]) {
    shown.addEventListener(
      kind,
      mine(() => ended.abort()),
      ended,
    );
  }
}

async function finish(editor) {
  const covers = editor.covers.map(({ x, y, radius, tilt, emoji, isBare }) => {
    const [across, down, reach] = [x, y, radius].map((share) => Number(share.toFixed(4)));
    return { x: across, y: down, radius: reach, tilt, emoji, isBare };
  });
  const sent = covers.filter(({ isBare }) => !isBare).map(({ isBare, ...cover }) => cover);
  const { text, picture } = await pictureWith(editor.photo.blob, sent);
  if (!picture) {
    editor.note.textContent = text;
    return;
  }
  editor.resolve({ picture, arranged: { found: editor.first.length, covers } });
  editor.sheet.close();
}
