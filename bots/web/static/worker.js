// Keeps the page itself, so that it opens without a connection; never an answer, a photo, or the console.
const CACHE = "mugmoji-1";
const PARTS = [
  "app.js",
  "page.js",
  "server.js",
  "store.js",
  "turns.js",
  "photos.js",
  "jpeg.js",
  "sheet.js",
  "menu.js",
  "emoji.js",
];
const MORE = ["lens.js", "camera.js", "mirror.js", "copying.js", "covers.js", "chat.css", "icon.svg", "samples.jpg"];

const LONGEST_MS = 4000; // for a line that hangs

self.addEventListener("install", (event) => {
  const all = ["/", ...[...PARTS, ...MORE].map((name) => `/static/${name}`)];
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(all))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const old = (names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  event.waitUntil(
    caches
      .keys()
      .then(old)
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const isOurs = url.origin === location.origin && (url.pathname === "/" || url.pathname.startsWith("/static/"));
  if (event.request.method === "GET" && isOurs) event.respondWith(newest(event));
});

// What the server has now, or, without a connection, what it had the last time.
async function newest(event) {
  const { request } = event;
  const { pathname } = new URL(request.url);
  const kept = await caches.match(pathname, { cacheName: CACHE, ignoreVary: true }).catch(() => undefined);
  const wait = kept ? { signal: AbortSignal.timeout(LONGEST_MS) } : {};
  try {
    const response = await fetch(request, wait);
    if (response.ok) event.waitUntil(keep(pathname, response.clone()));
    return kept && response.status >= 500 ? kept : response; // a proxy whose bot is being restarted
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

// Keep an answer for later. Where the browser's memory is full, the one that was kept before stays.
async function keep(pathname, response) {
  try {
    const cache = await caches.open(CACHE);
    await cache.put(pathname, response);
  } catch (error) {
    console.warn(error);
  }
}
