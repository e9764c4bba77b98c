// The server's interface, version 1. Every function returns what the server said, or throws `Lost` if it was not
// reached, or `Refused` with a sentence if it would not. `once` does what a button asks for, and says why it failed.
import { words } from "./page.js";

const BASE = "/api/v1";
const LONGEST_MS = 150_000;

export class Lost extends Error {}

export class Refused extends Error {
  constructor(text, again) {
    super(text);
    this.again = again;
  }
}

// Send a photo; `onProgress` is called with the share that has gone out, `onWaiting` with a sentence if it waits. It is
// lost as soon as `signal` says so.
export function sendPhoto({ id, blob, isShown }, { onProgress, onWaiting, signal }) {
  const form = new FormData();
  form.append("id", id);
  if (!isShown) form.append("preview", "1");
  form.append("photo", blob, "photo");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let read = 0;
    const lines = () => {
      const end = request.responseText.lastIndexOf("\n");
      const fresh = end >= read ? request.responseText.slice(read, end).split("\n") : [];
      read = Math.max(read, end + 1);
      return fresh.filter(Boolean).map((line) => JSON.parse(line));
    };
    const take = () => {
      if (request.status !== 200) return;
      for (const line of lines()) {
        if (line.waiting) onWaiting(line.text);
        else if ("again" in line) reject(new Refused(line.text, line.again));
        else resolve(line);
      }
    };
    request.open("POST", `${BASE}/photos`);
    let silence = setTimeout(() => request.abort(), LONGEST_MS);
    const goesOn = () => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), LONGEST_MS);
    };
    request.upload.onprogress = (event) => {
      goesOn();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onprogress = () => {
      goesOn();
      take();
    };
    request.onloadend = () => clearTimeout(silence);
    request.onload = () => {
      take();
      reject(request.status === 200 ? new Lost() : refusal(request.status));
    };
    request.onerror = request.onabort = () => reject(new Lost());
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

export async function tap(token, photo) {
  const form = new FormData();
  form.append("token", token);
  if (photo) form.append("photo", photo, "photo");
  return ask(`${BASE}/taps`, { method: "POST", body: form });
}

// What covers the faces in a picture that was made of a photo. token: the picture's.
export async function coversOf(token, photo) {
  const form = new FormData();
  form.append("token", token);
  form.append("photo", photo, "photo");
  return ask(`${BASE}/covers`, { method: "POST", body: form });
}

// The photo with these covers.
export async function pictureWith(photo, covers) {
  const form = new FormData();
  form.append("covers", JSON.stringify(covers));
  form.append("photo", photo, "photo");
  return ask(`${BASE}/pictures`, { method: "POST", body: form });
}

// The address of what covers a face where an emoji does: a disc with half the width of the image, in its middle.
export function coverImage(emoji) {
  return `${BASE}/covers/${encodeURIComponent(emoji)}.png`;
}

export async function command(name) {
  const headers = { "Content-Type": "application/json" };
  return ask(`${BASE}/commands`, { method: "POST", headers, body: JSON.stringify({ name }) });
}

// One of the photos to try, as a file.
export async function samplePhoto(name) {
  const photo = await ask(`/static/${name}`, {}, (response) => response.blob());
  return new File([photo], name, { type: photo.type });
}

// Load a part of the page that is needed only now.
export async function load(name) {
  try {
    return await import(`./${name}.js`);
  } catch (error) {
    console.warn(error);
    throw new Lost();
  }
}

// Do what a button asks for, once at a time; call back with a sentence if it cannot be done.
export async function once(key, work, onFailure) {
  if (key.getAttribute("aria-busy")) return;
  key.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    await onFailure(reasonOf(error));
  } finally {
    key.removeAttribute("aria-busy");
  }
}

// The sentence that says why something cannot be done.
export function reasonOf(error) {
  if (error instanceof Refused) return error.message;
  if (error instanceof Lost) return words.tap_lost;
  console.error(error);
  return words.not_taken;
}

async function ask(path, request, read = (response) => response.json()) {
  let response;
  try {
    response = await fetch(path, { ...request, signal: AbortSignal.timeout(LONGEST_MS) });
    if (response.ok) return await read(response);
  } catch {
    throw new Lost();
  }
  const problem = await response.json().catch(() => null);
  throw problem?.text ? new Refused(problem.text, problem.again) : refusal(response.status);
}

function refusal(status) {
  if (status === 413) return new Refused(words.too_large, false);
  if (status === 502 || status === 504) return new Lost(); // a proxy whose bot is being restarted
  return new Refused(words.not_taken, status !== 400);
}

export function blobOf({ type, content }) {
  return new Blob([Uint8Array.from(atob(content), (character) => character.charCodeAt(0))], { type });
}
