// The chat page: takes photos in, sends them when it can, and keeps the conversation.
import { forgetUrls, kept, limits, say, words } from "./page.js";
import { Lost, Refused, blobOf, load, once, samplePhoto, sendPhoto, tap } from "./server.js";
import * as store from "./store.js";
import { Turns } from "./turns.js";

const AGAIN_AFTER_MS = [2000, 4000, 8000, 15000, 30000];
const SENT_AT_ONCE = 2;
const LOOK_EVERY_MS = 10_000;

const at = (id) => document.getElementById(id);
const turns = new Turns(at("log"), { tap: tapped, choose, again, copy, cover });
const known = new Map(); // the turns on the page, by their ids
const waiting = []; // photos to be sent, with their turns
const underWay = new Map(); // what ends the sending of each photo, by its id
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

// Take turns off the page, and end what is under way for them.
function forget(ids) {
  for (const id of ids) {
    for (const photo of known.get(id)?.photos ?? []) underWay.get(photo.id)?.abort();
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

// Let the bot say something by itself, which is read out. said: as the server has it. of: the photo that a picture was
// made from.
export async function tell(said, of = null) {
  announce(said.text);
  return show(said, of);
}

// Show what the bot says by itself where there is nothing to read out, or that is done elsewhere. said, of: as in `tell`.
export async function show(said, of = null) {
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
  const tooLarge = Array.from(files).filter(isTooLarge);
  const all = Array.from(files).filter((file) => !isTooLarge(file));
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
  if (tooMany.length) await tell({ text: say("left_out", { names: named(tooMany) }) });
  if (tooLarge.length) await tell({ text: `${named(tooLarge)}: ${words.too_large}` });
}

function named(files) {
  return files.map((file) => file.name).join(", ");
}

// Whether a file is larger than the server takes, and cannot be made smaller: only photos that stand still are.
function isTooLarge({ type, size }) {
  return size > limits.bytes && (!type.startsWith("image/") || type === "image/gif");
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
  return [turn, turn?.photos?.find((each) => each.id === photoId)];
}

// Send a photo, and show what becomes of it: on the turn and the photo as they are then, on none if they are gone.
async function sendNow(turnId, photoId) {
  const now = (action) => {
    const [turn, photo] = present(turnId, photoId);
    return photo && action(turn, photo);
  };
  if (!now((_, photo) => photo.state === "waiting")) return;
  const ended = new AbortController();
  underWay.set(photoId, ended);
  try {
    now(begun);
    const made = await now((_, photo) => (photo.isReady ? null : ready(photo.blob)));
    if (made) now((turn, photo) => madeReady(turn, photo, made));
    const onProgress = (share) => now((turn, photo) => turns.progress(turn, photo, share));
    const onWaiting = (text) => now((turn, photo) => waits(turn, photo, text));
    const reply = await now((_, photo) => sendPhoto(small(photo), { onProgress, onWaiting, signal: ended.signal }));
    if (reply) now((turn, photo) => answered(turn, photo, reply));
  } catch (error) {
    now((turn, photo) => failed(turn, photo, error));
  } finally {
    underWay.delete(photoId);
    turns.done(photoId);
  }
  await now(changed);
  now(turns.reveal.bind(turns));
}

function begun(turn, photo) {
  delete photo.said;
  turns.progress(turn, photo, 0);
}

function madeReady(turn, photo, made) {
  Object.assign(photo, made, { isReady: true });
  turns.show(turn);
}

function waits(turn, photo, text) {
  photo.said = text;
  turns.show(turn);
}

// A photo that may be sent; throw `Refused` for one that is too large, of which nothing is kept either.
function small(photo) {
  if (photo.blob.size <= limits.bytes) return photo;
  Object.assign(photo, { blob: new Blob(), isShown: false });
  throw new Refused(`${photo.name}: ${words.too_large}`, false);
}

function answered(turn, photo, reply) {
  failures = 0;
  at("offline").hidden = true;
  const { text, reaction, faces, rows, preview, picture, file } = reply;
  Object.assign(photo, { state: "answered", said: text, reaction, faces, rows });
  if (preview) photo.preview = blobOf(preview);
  const chosen = turn.photos[turn.chosen.photo];
  if (!(chosen.faces ?? []).length && faces.length && chosen.state !== "waiting") {
    turn.chosen = { photo: turn.photos.indexOf(photo), face: 0 };
  }
  announce(faces.length === 1 ? faces[0].text : text);
  if (picture || file) show(fromServer({ text: "", picture, file }));
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
function tapped(turn, part, button, key) {
  const { photo, face } = turn.chosen ?? {};
  const place = { turn: turn.id, photo: turn.photos?.[photo].id, face: part === "face" ? face : null };
  return once(
    key,
    () => tapOn(place, button),
    (reason) => note(place, reason),
  );
}

// What a button belongs to, as it is now: the turn, the photo if it has one, and the part of it with the button; null if
// the turn is gone.
function partAt({ turn: turnId, photo: photoId, face }) {
  const [turn, photo] = present(turnId, photoId);
  return turn ? { turn, photo, own: photo?.faces?.[face] ?? photo ?? turn.said } : null;
}

async function tapOn(place, button) {
  const { turn, photo } = partAt(place);
  const source = button.needs_photo ? (photo ?? (await photoOf(turn.of))) : null;
  const reply = await tap(button.token, source?.blob);
  if (button.shows_more) {
    const { chooseEmoji } = await load("emoji");
    const chosen = await chooseEmoji(reply.rows.flat());
    if (chosen) await tapOn(place, chosen);
    return;
  }
  await apply(reply, place);
  if (reply.reaction) remember(reply.reaction);
  if (reply.language !== document.documentElement.lang) location.reload();
}

async function apply(reply, place) {
  const found = partAt(place);
  if (!found) return; // cleared meanwhile
  const { turn, photo, own } = found;
  if (reply.picture && !reply.is_whole) {
    const of = photo ? { turn: turn.id, photo: photo.id } : turn.of;
    own.note = "";
    await changed(turn);
    const { notice: text, picture_rows: rows, picture, covers } = reply;
    await tell(fromServer({ text, rows, picture, covers }), of);
    return;
  }
  if (reply.picture) own.picture = fromServer({ picture: reply.picture }).picture;
  if (reply.rows) own.rows = reply.rows;
  if (reply.text !== null) own[own === photo ? "said" : "text"] = reply.text;
  own.note = reply.text !== null || reply.is_obvious ? "" : reply.notice;
  if (reply.reaction && photo) {
    if ("emoji" in own) Object.assign(own, { emoji: reply.reaction, feeling: reply.feeling ?? own.feeling });
    if ((photo.faces ?? []).length < 2) photo.reaction = reply.reaction;
  }
  await changed(turn);
  const { question } = reply;
  const heard = [reply.text ?? (reply.is_obvious ? "" : reply.notice), question?.text];
  announce(heard.filter(Boolean).join("\n")); // at once: one would cut the other off
  if (question) await show(fromServer(question));
}

// Say below a part of the conversation why something cannot be done. place: as `partAt` takes it.
async function note(place, reason) {
  announce(reason);
  const found = partAt(place);
  if (!found) return;
  found.own.note = reason;
  await changed(found.turn);
}

// Change what covers the faces in a picture that the bot made.
function cover(turn, key) {
  const place = { turn: turn.id };
  const work = async () => {
    const photo = await photoOf(turn.of);
    if (!photo) throw new Refused(words.photo_gone, false);
    const { arrange } = await load("covers");
    const changes = await arrange(photo, turn.said.covers, turn.said.arranged);
    const found = changes && partAt(place);
    if (!found) return;
    Object.assign(found.own, fromServer(changes), { note: "" });
    await changed(found.turn);
    announce(words.covers_made);
  };
  return once(key, work, (reason) => note(place, reason));
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

// Copy a picture. The clipboard is asked at once, while the browser still takes it for what the person wants.
function copy(turn, blob, key) {
  const work = async () => {
    const png = load("copying").then(({ asPng }) => asPng(blob));
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]).catch((error) => {
      console.warn(error);
      throw new Refused(words.not_copied, true);
    });
    key.textContent = words.copied;
    announce(words.copied);
  };
  return once(key, work, (reason) => note({ turn: turn.id }, reason));
}

export async function clear() {
  cleared();
  await store.clear();
}

function cleared() {
  forget([...known.keys()]);
  waiting.length = 0;
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

// Let a button open what is loaded only then.
function opens(name, open) {
  const work = async () => open(await load(name));
  at(name).addEventListener("click", () => once(at(name), work, (text) => tell({ text })));
}

function listen() {
  at("pick").addEventListener("click", () => at("files").click());
  at("files").addEventListener("change", async () => {
    await take(at("files").files);
    at("files").value = "";
  });
  for (const sample of at("samples").querySelectorAll("button")) {
    const fail = (reason) => (at("samples-note").textContent = reason);
    const tryIt = async () => {
      fail("");
      await take([await samplePhoto(sample.dataset.photo)]);
    };
    sample.addEventListener("click", () => once(sample, tryIt, fail));
  }
  opens("camera", ({ openCamera }) => openCamera());
  opens("mirror", ({ openMirror }) => openMirror());
  opens("menu", ({ openMenu }) => openMenu());
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
  store.watch(onKept, forget, cleared, () => tell({ text: words.not_kept }));
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
