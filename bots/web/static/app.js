// The chat page: takes photos in, sends them when it can, and keeps the conversation.
import { forgetUrls, kept, limits, say, words } from "./page.js";
import { Lost, Refused, blobOf, sendPhoto, tap } from "./server.js";
import * as store from "./store.js";
import { Turns } from "./turns.js";

const AGAIN_AFTER_MS = [2000, 4000, 8000, 15000, 30000];
const SENT_AT_ONCE = 2;
const LOOK_EVERY_MS = 10_000;

const at = (id) => document.getElementById(id);
const turns = new Turns(at("log"), { tap: tapped, choose, again, copy, cover });
const known = new Map(); // the turns on the page, by their ids
const waiting = []; // photos to be sent, with their turns
let atOnce = 0;
let failures = 0;
let timer = 0;
let looking = 0;

export async function add(turn) {
  known.set(turn.id, turn);
  at("welcome").hidden = true;
  turns.show(turn);
  await store.put(turn);
  forget(await store.prune());
  return turn;
}

// Take turns off the page.
function forget(ids) {
  for (const id of ids) {
    known.delete(id);
    turns.remove(id);
  }
}

async function changed(turn) {
  if (!known.has(turn.id)) return; // the conversation was cleared meanwhile
  turns.show(turn);
  await store.put(turn);
}

// Say something to those who listen: in an open sheet, since what lies behind it is silent.
export function announce(text) {
  const sheets = document.querySelectorAll("dialog[open] [data-said]");
  (Array.from(sheets).at(-1) ?? at("said")).textContent = text;
}

// Let the bot say something by itself. said: as the server has it. of: the photo that a picture was made from.
export async function addSaid(said, of = null) {
  return add({ id: store.newId(), said: { ...said, rows: said.rows ?? [] }, of });
}

export function fromServer({ picture, file, ...rest }) {
  const own = { ...rest };
  if (picture) own.picture = { name: picture.name, blob: blobOf(picture) };
  if (file) own.file = { name: file.name, blob: blobOf(file) };
  return own;
}

// Take files in: they stand in the conversation at once, and are sent one after the other.
export async function take(files) {
  const all = Array.from(files);
  const taken = all.slice(0, limits.photos);
  const tooMany = all.slice(limits.photos);
  if (taken.length) {
    const photos = taken.map((file) => ({
      id: store.newId(),
      name: file.name,
      blob: file,
      isShown: isLikelyShown(file),
      isReady: false,
      state: "waiting",
      rows: [],
    }));
    const turn = await add({ id: store.newId(), photos, chosen: { photo: 0, face: 0 } });
    photos.forEach((photo) => enqueue(turn, photo));
  }
  if (tooMany.length) await tell(say("left_out", { names: tooMany.map((file) => file.name).join(", ") }));
}

// Whether a browser shows a file, as its type says; what is certain is known when it is prepared.
function isLikelyShown({ type }) {
  return /^(image\/(jpeg|png|gif|webp|bmp|avif)|video\/)/.test(type);
}

// What is sent of a file; the file itself where it cannot be prepared.
async function ready(file) {
  try {
    const { prepared } = await import("./photos.js");
    return await prepared(file);
  } catch (error) {
    console.error(error);
    return { blob: file, isShown: !file.type.startsWith("video/") };
  }
}

async function tell(text) {
  announce(text);
  await addSaid({ text });
}

function enqueue(turn, photo) {
  if (waiting.some((each) => each.photo.id === photo.id)) return;
  waiting.push({ turn, photo });
  send();
}

function send() {
  clearTimeout(timer);
  while (atOnce < SENT_AT_ONCE && waiting.length) {
    const { turn, photo } = waiting.shift();
    atOnce += 1;
    sendOnce(turn.id, photo.id).finally(() => {
      atOnce -= 1;
      if (!failures) send();
      else if (waiting.length) later();
    });
  }
}

// Send a photo, unless another tab does so: whoever asks with the same id gets the same answer.
async function sendOnce(turn, photo) {
  if (!navigator.locks) return sendNow(turn, photo);
  return navigator.locks.request(`mugmoji-${photo}`, () => sendNow(turn, photo));
}

// A turn and one of its photos as they are now: another tab may have changed them meanwhile.
function present(turnId, photoId) {
  const turn = known.get(turnId);
  return [turn, turn?.photos.find((each) => each.id === photoId)];
}

async function sendNow(turnId, photoId) {
  let [turn, photo] = present(turnId, photoId);
  if (photo?.state !== "waiting") return;
  delete photo.said;
  turns.progress(turn, photo, 0);
  if (!photo.isReady) {
    Object.assign(photo, await ready(photo.blob), { isReady: true });
    if (!known.has(turn.id)) return; // cleared meanwhile
    turns.show(turn);
  }
  try {
    if (photo.blob.size > limits.bytes) throw new Refused(`${photo.name}: ${words.too_large}`, false);
    const onWaiting = (text) => {
      photo.said = text;
      turns.show(turn);
    };
    const reply = await sendPhoto(photo, (share) => turns.progress(turn, photo, share), onWaiting);
    failures = 0;
    at("offline").hidden = true;
    [turn, photo] = present(turnId, photoId);
    if (!photo) return; // cleared meanwhile
    answered(turn, photo, reply);
  } catch (error) {
    [turn, photo] = present(turnId, photoId);
    if (!photo) return;
    failed(turn, photo, error);
  }
  turns.done(photo);
  await changed(turn);
  turns.reveal(turn);
}

function answered(turn, photo, reply) {
  const { text, reaction, faces, rows, preview, picture, file } = reply;
  Object.assign(photo, { state: "answered", said: text, reaction, faces, rows });
  if (preview) photo.preview = blobOf(preview);
  const chosen = turn.photos[turn.chosen.photo];
  if (!(chosen.faces ?? []).length && faces.length && chosen.state !== "waiting") {
    turn.chosen = { photo: turn.photos.indexOf(photo), face: 0 };
  }
  announce(faces.length === 1 ? faces[0].text : text);
  if (picture || file) addSaid(fromServer({ text: "", picture, file }));
}

function failed(turn, photo, error) {
  if (error instanceof Refused) {
    failures = 0;
    at("offline").hidden = true;
    Object.assign(photo, { state: "refused", said: error.message, again: error.again });
    announce(error.message);
    return;
  }
  if (!(error instanceof Lost)) console.error(error);
  photo.said = words.waits;
  at("offline").hidden = false;
  waiting.push({ turn, photo });
  failures += 1;
  later();
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(tryAgain, AGAIN_AFTER_MS[Math.min(failures - 1, AGAIN_AFTER_MS.length - 1)]);
}

function tryAgain() {
  const before = failures;
  failures = 0;
  send();
  failures = before;
}

async function again(turn, photo) {
  Object.assign(photo, { state: "waiting" });
  delete photo.said;
  await changed(turn);
  enqueue(turn, photo);
}

function choose(turn, photo, face) {
  turn.chosen = { photo, face };
  const chosen = turn.photos[photo].faces?.[face];
  announce(chosen?.text ?? turn.photos[photo].said ?? "");
  changed(turn);
}

// A button was tapped: of the chosen face, of the whole photo, or of what the bot said by itself.
async function tapped(turn, part, button, key) {
  if (key.getAttribute("aria-busy")) return;
  key.setAttribute("aria-busy", "true");
  const photo = turn.photos ? turn.photos[turn.chosen.photo] : null;
  const own = part === "face" ? photo.faces[turn.chosen.face] : (photo ?? turn.said);
  const source = photo ?? (await photoOf(turn.of));
  try {
    const reply = await tap(button.token, button.needs_photo ? source?.blob : null);
    key.removeAttribute("aria-busy");
    if (button.shows_more) {
      const { chooseEmoji } = await import("./emoji.js");
      const chosen = await chooseEmoji(reply.rows.flat());
      if (chosen) await tapped(turn, part, chosen, key);
      return;
    }
    await apply(reply, turn, photo, own);
    if (reply.reaction) remember(reply.reaction);
    if (reply.language !== document.documentElement.lang) location.reload();
  } catch (error) {
    key.removeAttribute("aria-busy");
    const text = error instanceof Refused ? error.message : words.tap_lost;
    if (!(error instanceof Refused) && !(error instanceof Lost)) console.error(error);
    own.note = text;
    announce(text);
    await changed(turn);
  }
}

async function apply(reply, turn, photo, own) {
  if (!known.has(turn.id)) return; // cleared meanwhile
  announce(reply.text ?? (reply.is_obvious ? "" : reply.notice));
  if (reply.picture && !reply.is_whole) {
    const of = photo ? { turn: turn.id, photo: photo.id } : turn.of;
    own.note = "";
    await changed(turn);
    const { notice: text, picture_rows: rows, picture, covers } = reply;
    await addSaid(fromServer({ text, rows, picture, covers }), of);
    return;
  }
  if (reply.picture) own.picture = fromServer({ picture: reply.picture }).picture;
  if (reply.rows) own.rows = reply.rows;
  if (reply.text !== null) own[own === photo ? "said" : "text"] = reply.text;
  own.note = reply.text !== null || reply.is_obvious ? "" : reply.notice;
  if (reply.reaction && photo) {
    if ("emoji" in own) own.emoji = reply.reaction;
    if ((photo.faces ?? []).length < 2) photo.reaction = reply.reaction;
  }
  await changed(turn);
  if (reply.question) await addSaid(fromServer(reply.question));
}

// Change what covers the faces in a picture that the bot made.
async function cover(turn) {
  const photo = await photoOf(turn.of);
  if (!photo) {
    turn.said.note = words.photo_gone;
    announce(words.photo_gone);
    await changed(turn);
    return;
  }
  const { arrange } = await import("./covers.js");
  const changes = await arrange(photo, turn.said.covers, turn.said.arranged);
  if (!changes || !known.has(turn.id)) return;
  const said = known.get(turn.id).said;
  Object.assign(said, fromServer(changes), { note: "" });
  await changed(known.get(turn.id));
  announce(words.covers_made);
}

async function photoOf(of) {
  if (!of) return null;
  const turn = known.get(of.turn) ?? (await store.get(of.turn));
  return turn?.photos?.find((photo) => photo.id === of.photo) ?? null;
}

// Emoji that were chosen here, the newest first, for the sheet with all emoji.
function remember(emoji) {
  const before = JSON.parse(kept.get("chosen") ?? "[]");
  kept.set("chosen", JSON.stringify([emoji, ...before].slice(0, 100)));
}

async function copy(blob, key) {
  const { asPng } = await import("./copying.js");
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": asPng(blob) })]);
    key.textContent = words.copied;
    announce(words.copied);
  } catch (error) {
    console.error(error);
  }
}

export async function clear() {
  await store.clear();
  cleared();
}

function cleared() {
  known.clear();
  waiting.length = 0;
  turns.clear();
  forgetUrls();
  at("welcome").hidden = false;
}

async function restore() {
  const entries = await store.all();
  entries.sort((one, other) => (one.id < other.id ? -1 : 1));
  for (const turn of entries) {
    known.set(turn.id, turn);
    turns.show(turn);
    for (const photo of turn.photos ?? []) if (photo.state === "waiting") enqueue(turn, photo);
  }
  at("welcome").hidden = entries.length > 0;
  window.scrollTo(0, document.body.scrollHeight);
}

// See whether the server is there, and say so until it is again.
async function lookForServer() {
  const isThere = await fetch("/healthz", { cache: "no-store" }).then(
    (response) => response.ok,
    () => false,
  );
  at("offline").hidden = isThere;
  clearTimeout(looking);
  if (isThere) tryAgain();
  else looking = setTimeout(lookForServer, LOOK_EVERY_MS);
}

function listen() {
  at("pick").addEventListener("click", () => at("files").click());
  at("files").addEventListener("change", async () => {
    await take(at("files").files);
    at("files").value = "";
  });
  for (const sample of at("samples").querySelectorAll("button")) {
    sample.addEventListener("click", async () => {
      const name = sample.dataset.photo;
      const photo = await (await fetch(`/static/${name}`)).blob();
      await take([new File([photo], name, { type: "image/jpeg" })]);
    });
  }
  at("camera").addEventListener("click", async () => (await import("./camera.js")).openCamera());
  at("mirror").addEventListener("click", async () => (await import("./mirror.js")).openMirror());
  at("menu").addEventListener("click", async () => (await import("./menu.js")).openMenu());
  document.addEventListener("paste", (event) => event.clipboardData?.files.length && take(event.clipboardData.files));
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      at("drop").hidden = false;
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) at("drop").hidden = true;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    at("drop").hidden = true;
    take(event.dataTransfer.files);
  });
  window.addEventListener("online", lookForServer);
  window.addEventListener("offline", lookForServer);
  document.addEventListener("visibilitychange", () => document.hidden || tryAgain());
  const onKept = (turn) => {
    known.set(turn.id, turn);
    at("welcome").hidden = true;
    turns.show(turn);
    for (const photo of turn.photos ?? []) if (photo.state === "waiting") enqueue(turn, photo);
  };
  store.watch(onKept, forget, cleared, () => tell(words.not_kept));
}

const look = kept.get("look");
if (look) document.documentElement.dataset.look = look;
listen();
await restore();
document.documentElement.dataset.ready = "";
performance.mark("ready");
lookForServer();
navigator.serviceWorker?.register("/worker.js").catch(() => {});
import("./photos.js").catch(() => {}); // before a connection is lost
