/** Modules that are fetched when they are first needed: most visits only look at the list. */

/** Keys and presses so far. */
let acts = 0;
for (const act of ["keydown", "pointerdown"]) addEventListener(act, () => void (acts += 1), { capture: true });

/** How many acts there were when something was asked for at once that is still to come. */
let awaited = -1;

/** Whether the key just pressed comes after what was asked for at once, and before that is there; it then is no act. */
export function comesEarly() {
  if (awaited !== acts - 1) return false;
  acts -= 1;
  return true;
}

/**
 * `use` fetches; `now` never does. `atOnce` is for what takes the focus: it is left undone when something else was done
 * meanwhile, so that nothing comes between a person and the line being typed.
 * @template T
 * @param {() => Promise<T>} load
 * @returns {{use: (work: (module: T) => void) => void, atOnce: (work: (module: T) => void) => void, now: () => T | undefined}}
 */
export function later(load) {
  /** @type {T | undefined} */
  let module;
  /** @type {Promise<T> | undefined} one promise: what is asked for first happens first */
  let loading;
  /** @param {(module: T) => void} work */
  function use(work) {
    if (module) return work(module);
    loading ??= load();
    void loading.then((loaded) => work((module = loaded)), () => {
      // The files of this page are gone: the server has newer ones, or there is no network and never was.
      loading = undefined;
      awaited = -1;
      missed();
    });
  }
  return {
    now: () => module,
    use,
    atOnce(work) {
      const before = (awaited = acts);
      use((loaded) => {
        if (awaited === before) awaited = -1;
        if (acts === before) work(loaded);
      });
    },
  };
}

let missed = () => {};

/** @param {() => void} listener hears that a part could not be fetched */
export const onMissed = (listener) => void (missed = listener);
