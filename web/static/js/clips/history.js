/**
 * The visitor's clips with picture and sound in the browser's IndexedDB, where they survive a reload and their deletion on
 * the server.
 *
 * @typedef {object} Clip
 * @property {string} id       of the job
 * @property {number} at       time of submission, Unix ms
 * @property {string} verb     what made it from its parents: "riff", "extend", …; "" for a first clip
 * @property {string[]} parents  ids
 * @property {Record<string, any>} request
 * @property {"pending" | "done" | "failed"} status
 * @property {boolean} [draft]
 * @property {boolean} [listed]  in the server's gallery
 * @property {Blob} [png]
 * @property {Blob} [audio]
 * @property {number} [duration]  seconds
 * @property {import("../spectrogram/picture.js").Picture} [thumb]
 * @property {string} [error]  why it failed, for people
 * @property {string[]} [remarks]  the server's warnings
 */

const MAX_CLIPS = 120;

/** @type {Promise<IDBDatabase> | undefined} */
let opened;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
const completed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

/** @param {IDBTransactionMode} mode */
async function store(mode) {
  opened ??= (() => {
    const request = indexedDB.open("riffusion", 1);
    request.onupgradeneeded = () =>
      request.result.createObjectStore("clips", { keyPath: "id" }).createIndex("at", "at");
    return done(request);
  })();
  return (await opened).transaction("clips", mode).objectStore("clips");
}

/**
 * One operation on the history. Where the browser stores nothing (private windows, a full disk) only the history is
 * lost, never the clip.
 * @template T
 * @param {IDBTransactionMode} mode @param {(clips: IDBObjectStore) => IDBRequest<T>} operation @param {T} otherwise
 * @returns {Promise<T>}
 */
async function perform(mode, operation, otherwise) {
  try {
    const request = operation(await store(mode));
    const result = await done(request);
    // Only a completed transaction survives a reload.
    if (mode === "readwrite") await completed(/** @type {IDBTransaction} */ (request.transaction));
    return result;
  } catch (error) {
    console.warn("This browser stores no history:", error);
    return otherwise;
  }
}

/** @returns {Promise<Clip[]>} oldest first */
export const allClips = () => perform("readonly", (clips) => clips.index("at").getAll(), []);

/** @param {Clip} clip @returns {Promise<unknown>} */
export const keep = (clip) => perform("readwrite", (clips) => clips.put(clip), "");

/** @param {string} id @returns {Promise<void>} */
export const forget = (id) => perform("readwrite", (clips) => clips.delete(id), undefined);

/** Deletes the oldest clips beyond the number that is kept.
 * @param {Clip[]} clips oldest first */
export async function prune(clips) {
  const over = clips.splice(0, Math.max(0, clips.length - MAX_CLIPS));
  await Promise.all(over.map(({ id }) => forget(id)));
}
