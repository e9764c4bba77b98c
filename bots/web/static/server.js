// The server's interface, version 1. Every function returns what the server said, or throws `Lost` if it was not
// reached, or `Refused` with a sentence if it would not.
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

// Send a photo; `onProgress` is called with the share that has gone out, `onWaiting` with a sentence if it waits.
export function sendPhoto({ id, blob, isShown }, onProgress, onWaiting) {
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
    request.send(form);
  });
}

export async function tap(token, photo) {
  const form = new FormData();
  form.append("token", token);
  if (photo) form.append("photo", photo, "photo");
  return ask("/taps", { method: "POST", body: form });
}

// What covers the faces in a picture that was made of a photo. token: the picture's.
export async function coversOf(token, photo) {
  const form = new FormData();
  form.append("token", token);
  form.append("photo", photo, "photo");
  return ask("/covers", { method: "POST", body: form });
}

// The photo with these covers.
export async function pictureWith(photo, covers) {
  const form = new FormData();
  form.append("covers", JSON.stringify(covers));
  form.append("photo", photo, "photo");
  return ask("/pictures", { method: "POST", body: form });
}

// The address of what covers a face where an emoji does: a disc with half the width of the image, in its middle.
export function coverImage(emoji) {
  return `${BASE}/covers/${encodeURIComponent(emoji)}.png`;
}

export async function command(name) {
  const headers = { "Content-Type": "application/json" };
  return ask("/commands", { method: "POST", headers, body: JSON.stringify({ name }) });
}

async function ask(path, request) {
  let response;
  try {
    response = await fetch(BASE + path, { ...request, signal: AbortSignal.timeout(LONGEST_MS) });
  } catch {
    throw new Lost();
  }
  if (response.ok) return response.json();
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
