// The kinds of things on a show that this page knows: how their events change its state, and what they show on it.
// The files of kinds/ call `addKind`; every page of a show runs them all before its own script (import_map.html).
// A kind imports nothing but this file, so that its reducer also runs without a page.

const changes = new Map(); // event tag -> (state, event) => state
const kinds = [];

/**
 * @param {object} kind
 * @param {string} kind.name as the kind's file is called
 * @param {Object<string, (state: object, event: object) => object>} [kind.changes] by event tag `t`; pure
 * @param {{"zh-TW": Object<string, string>, en: Object<string, string>}} [kind.words] its texts, under keys `<kind>.…`
 * @param {(page: object) => {title: string, icon?: string, badge?: number, View: Function}} [kind.watch]
 * @param {(page: object) => {title: string, badge?: number, View: Function}} [kind.control]
 * @param {(page: object) => {title: string, View: Function}} [kind.replay] what it shows there. `page` has Preact's
 *   tools, texts and what the page does (docs/pages.md); called once, `title` and `badge` are read at each drawing
 */
export function addKind(kind) {
  for (const [tag, change] of Object.entries(kind.changes ?? {})) {
    if (changes.has(tag)) throw new Error(`${kind.name}: there is an event ${tag} already`);
    changes.set(tag, change);
  }
  kinds.push(kind);
}

export const changeOf = (tag) => changes.get(tag);

/** What kinds show on a page (`watch`, `control` or `replay`): [{name, title, badge, View}]. */
export const partsOf = (place, page) =>
  kinds.filter((kind) => kind[place]).map((kind) => {
    const part = kind[place](page);
    part.name = kind.name;
    return part;
  });

/** The texts of all kinds in one language. */
export const wordsOf = (locale) => Object.assign({}, ...kinds.map((kind) => kind.words?.[locale] ?? {}));

/** The list with `one` in the place of the entry of the same key, or at its end. */
export function put(list, one, key) {
  const at = list.findIndex((other) => other[key] === one[key]);
  return at < 0 ? [...list, one] : list.with ? list.with(at, one) : list.map((other, index) => (index === at ? one : other));
}
export const without = (list, value, key) => list.filter((one) => one[key] !== value);
/** An event's fields without its tag. */
export const bare = ({ t: _kind, ...fields }) => fields;
