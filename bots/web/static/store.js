// The conversation of this browser: kept in IndexedDB and shared by its tabs. The server keeps none of it. Where a
// browser has no database for us (a private window of some), the conversation lasts as long as the page.
const MOST_ENTRIES = 200;
const TIME_DIGITS = 9; // of an id, base 36

const channel = "BroadcastChannel" in window ? new BroadcastChannel("mugmoji") : null;
const memory = new Map();
let opened = open();
let latest = 0; // the time in the latest id made or seen, milliseconds
let onUnkept = null; // called once, at the first write that fails

function open() {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open("mugmoji", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("entries", { keyPath: "id" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = request.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}

async function run(mode, work, isAgain = false) {
  const database = await opened;
  if (!database) {
    if (mode === "readwrite") failed();
    return null;
  }
  return new Promise((resolve) => {
    try {
      const transaction = database.transaction("entries", mode);
      const request = work(transaction.objectStore("entries"));
      transaction.oncomplete = () => resolve(request?.result ?? null);
      transaction.onabort = () => {
        if (mode === "readwrite") failed(); // full: what is on the page stays there
        resolve(null);
      };
    } catch {
      opened = open(); // a browser closes it after a while in the background
      if (isAgain && mode === "readwrite") failed();
      resolve(isAgain ? null : run(mode, work, true));
    }
  });
}

function failed() {
  onUnkept?.();
  onUnkept = null;
}

// Ids begin with the time, so that their order is that of the conversation: each is later than all that this page has
// seen, also within one millisecond and where a clock was set back.
export function newId() {
  const random = crypto.getRandomValues(new Uint8Array(8));
  const tail = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  latest = Math.max(Date.now(), latest + 1);
  return `${latest.toString(36).padStart(TIME_DIGITS, "0")}-${tail}`;
}

function seen(entry) {
  latest = Math.max(latest, Number.parseInt(entry.id.slice(0, TIME_DIGITS), 36));
}

export async function all() {
  const entries = (await run("readonly", (store) => store.getAll())) ?? [...memory.values()];
  entries.forEach(seen);
  return entries;
}

export async function get(id) {
  return memory.get(id) ?? (await run("readonly", (entries) => entries.get(id)));
}

// Keep an entry, and tell the other tabs.
export async function put(entry) {
  memory.set(entry.id, entry);
  await run("readwrite", (entries) => entries.put(entry));
  channel?.postMessage({ kept: entry.id });
}

// Forget the oldest entries beyond the limit, and tell the other tabs; return their ids.
export async function prune() {
  const ids = ((await run("readonly", (entries) => entries.getAllKeys())) ?? [...memory.keys()]).sort();
  const gone = [];
  const old = ids.slice(0, Math.max(0, ids.length - MOST_ENTRIES));
  for (const id of old) {
    const turn = await get(id);
    if (turn?.photos?.some((photo) => photo.state === "waiting")) continue;
    memory.delete(id);
    await run("readwrite", (entries) => entries.delete(id));
    gone.push(id);
  }
  if (gone.length) channel?.postMessage({ pruned: gone });
  return gone;
}

export async function clear() {
  memory.clear();
  await run("readwrite", (entries) => entries.clear());
  channel?.postMessage({ cleared: true });
}

// Call back when another tab kept an entry, forgot some, or cleared all of them; and once if this one keeps none.
export function watch(onKept, onPruned, onCleared, onNotKept) {
  onUnkept = onNotKept;
  channel?.addEventListener("message", async ({ data }) => {
    if (data.cleared) {
      memory.clear();
      onCleared();
      return;
    }
    if (data.pruned) {
      data.pruned.forEach((id) => memory.delete(id));
      onPruned(data.pruned);
      return;
    }
    memory.delete(data.kept);
    const entry = await get(data.kept);
    if (!entry) return;
    memory.set(entry.id, entry);
    seen(entry);
    onKept(entry);
  });
}
