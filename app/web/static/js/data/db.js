/** What this browser keeps: tasks, waiting changes, drafts. Without IndexedDB all of it lives until the tab closes. */

/** @typedef {"tasks" | "ops" | "kv"} Store */

/** @type {Promise<IDBDatabase | null>} */
const opened = new Promise((resolve) => {
  try {
    const request = indexedDB.open("rondo", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("tasks", { keyPath: "id" });
      request.result.createObjectStore("ops", { keyPath: "key" });
      request.result.createObjectStore("kv");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  } catch {
    resolve(null);
  }
});

/**
 * Runs one transaction; a failed one (storage full, private window) leaves the memory copy as the only one.
 * @template T
 * @param {Store[]} stores
 * @param {IDBTransactionMode} mode
 * @param {(get: (store: Store) => IDBObjectStore) => IDBRequest<T> | void} work
 * @returns {Promise<T | undefined>}
 */
async function transact(stores, mode, work) {
  const db = await opened;
  if (!db) return undefined;
  return new Promise((resolve) => {
    const transaction = db.transaction(stores, mode);
    const request = work((store) => transaction.objectStore(store));
    // A page that goes away takes back what it has written and not committed; waiting for the answers takes too long.
    if (mode === "readwrite") transaction.commit();
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => resolve(undefined);
  });
}

/** @param {Store} store @returns {Promise<any[]>} */
export const readAll = async (store) => (await transact([store], "readonly", (get) => get(store).getAll())) ?? [];

/** @param {Store} store @param {string} key @returns {Promise<any>} */
export const read = (store, key) => transact([store], "readonly", (get) => get(store).get(key));

/** @param {string} key @param {unknown} value */
export const keep = (key, value) => transact(["kv"], "readwrite", (get) => void get("kv").put(value, key));

/** @type {Map<string, import("../types").Op | undefined>} waiting changes that are not written yet; without one: done */
const unwritten = new Map();
/** @type {Promise<unknown> | null} */
let writing = null;

/** @param {import("../types").Op} op */
export const writeOp = (op) => batched(op.key, op);

/** @param {string} key */
export const removeOp = (key) => batched(key, undefined);

/**
 * What is changed together is written in one transaction; all of it gets the same promise.
 * @param {string} key
 * @param {import("../types").Op | undefined} op
 */
function batched(key, op) {
  unwritten.set(key, op);
  writing ??= Promise.resolve().then(() => {
    const batch = [...unwritten];
    unwritten.clear();
    writing = null;
    return transact(["ops"], "readwrite", (get) => {
      for (const [name, each] of batch) void (each ? get("ops").put(each) : get("ops").delete(name));
    });
  });
  return writing;
}

/**
 * Tasks and the position they belong to, all or nothing: a resume may repeat an event but never skip one.
 * @param {Iterable<[string, import("../types").Task | undefined]>} changed without a task: deleted
 * @param {number} position
 */
export const writeTasks = (changed, position) =>
  transact(["tasks", "kv"], "readwrite", (get) => {
    for (const [id, task] of changed) void (task ? get("tasks").put(task) : get("tasks").delete(id));
    get("kv").put(position, "position");
  });

/**
 * Forgets everything of the person who used this browser, but for the names they gave to their views: nothing else has
 * them, and nobody else is shown them.
 * @param {boolean} [views] forgets those too: the account is gone
 */
export const forget = (views = false) =>
  transact(["tasks", "ops", "kv"], "readwrite", (get) => {
    for (const store of /** @type {const} */ (["tasks", "ops"])) get(store).clear();
    if (views) return void get("kv").clear();
    get("kv").delete(IDBKeyRange.upperBound("views-", true));
    get("kv").delete(IDBKeyRange.lowerBound("views."));
  });
