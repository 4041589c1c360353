/** Modules that are fetched when they are first needed: most visits only look at the list. */

/**
 * @template T
 * @param {() => Promise<T>} load
 * @returns {{use: (work: (module: T) => void) => void, now: () => T | undefined}} `use` fetches; `now` never does
 */
export function later(load) {
  /** @type {T | undefined} */
  let module;
  /** @type {Promise<T> | undefined} one promise: what is asked for first happens first */
  let loading;
  return {
    now: () => module,
    use(work) {
      if (module) return work(module);
      loading ??= load();
      void loading.then((loaded) => work((module = loaded)), () => {
        // The files of this page are gone: the server has newer ones, or there is no network and never was.
        loading = undefined;
        missed();
      });
    },
  };
}

let missed = () => {};

/** @param {() => void} listener hears that a part could not be fetched */
export const onMissed = (listener) => void (missed = listener);
