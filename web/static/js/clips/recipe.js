/**
 * Reads the recipe from a file made here: the request as JSON, in the text chunk `recipe` of a PNG or in the TXXX frame
 * of that name in an MP3's ID3 tag.
 */

const NAME = "recipe";
const PNG = [0x89, 0x50, 0x4e, 0x47];
const ID3 = [0x49, 0x44, 0x33];
const LATIN1 = new TextDecoder("latin1");
const UTF8 = new TextDecoder();
/** ID3's four text encodings by number. */
const ENCODINGS = [LATIN1, new TextDecoder("utf-16"), new TextDecoder("utf-16be"), UTF8];

/**
 * @param {Blob} file
 * @returns {Promise<Record<string, any> | null>} the request, or null if the file has none
 */
export async function readRecipe(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const starts = (/** @type {number[]} */ magic) => magic.every((byte, i) => bytes[i] === byte);
  const text = starts(PNG) ? inPng(bytes) : starts(ID3) ? inId3(bytes) : null;
  if (!text) return null;
  try {
    const recipe = JSON.parse(text);
    return typeof recipe?.mode === "string" ? recipe : null;
  } catch {
    return null;
  }
}

/** @param {Uint8Array} bytes */
function inPng(bytes) {
  const view = new DataView(bytes.buffer);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = LATIN1.decode(bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, at + 8 + length);
    at += 12 + length;
    const end = body.indexOf(0);
    if (end < 0 || LATIN1.decode(body.subarray(0, end)) !== NAME) continue;
    if (type === "tEXt") return LATIN1.decode(body.subarray(end + 1));
    if (type === "iTXt" && body[end + 1] === 0) {
      // Compression flag and method, then language and translated name, each terminated by a zero, then the text.
      const language = body.indexOf(0, end + 3);
      return UTF8.decode(body.subarray(body.indexOf(0, language + 1) + 1));
    }
  }
  return null;
}

/** @param {Uint8Array} bytes */
function inId3(bytes) {
  const version = bytes[3];
  const size = syncsafe(bytes, 6);
  for (let at = 10; at + 10 < Math.min(bytes.length, size + 10); ) {
    const id = LATIN1.decode(bytes.subarray(at, at + 4));
    const length = version === 4 ? syncsafe(bytes, at + 4) : new DataView(bytes.buffer).getUint32(at + 4);
    if (!/^[A-Z0-9]{4}$/.test(id) || !length) return null;
    if (id === "TXXX") {
      const text = ENCODINGS[bytes[at + 10]]?.decode(bytes.subarray(at + 11, at + 10 + length)) ?? "";
      const [name, value] = text.split("\0");
      if (name.replace("\ufeff", "") === NAME) return value.replace("\ufeff", "");
    }
    at += 10 + length;
  }
  return null;
}

/** Four bytes of seven bits each, as ID3 writes sizes.
 * @param {Uint8Array} bytes @param {number} at */
const syncsafe = (bytes, at) => [0, 1, 2, 3].reduce((sum, i) => (sum << 7) | bytes[at + i], 0);
