/**
 * Keeps the shell and everything it names, so that Rondo opens without a network. Data is none of its business:
 * that is IndexedDB's. Assets carry a hash in their address, so what is kept is never stale.
 */

const CACHE = "rondo-shell";

/** @param {Response} response the page that every address of the UI answers with */
async function keepShell(response) {
  const cache = await caches.open(CACHE);
  const text = await response.clone().text();
  const wanted = [...text.matchAll(/\/static\/[^"]+/g)].map(([path]) => path);
  const have = new Set((await cache.keys()).map((request) => new URL(request.url).pathname));
  await cache.addAll(wanted.filter((path) => !have.has(path)));
  await cache.put("/", response);
  for (const path of have) if (path.startsWith("/static/") && !wanted.includes(path)) await cache.delete(path);
}

/** @param {FetchEvent} event */
async function page(event) {
  try {
    const response = await fetch(event.request);
    if (response.ok && !response.redirected) event.waitUntil(keepShell(response.clone()).catch(() => undefined));
    return response;
  } catch (error) {
    const kept = await caches.match("/");
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(fetch("/").then(keepShell));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname.startsWith("/static/")) {
    event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request)));
  } else if (event.request.mode === "navigate" && !/^\/(api|docs|health|metrics|ops|ws)\b/.test(pathname)) {
    event.respondWith(page(event));
  }
});
