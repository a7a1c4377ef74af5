// The kinds of things on a show that this page knows. The files of kinds/ call `addKind`; every page of a show runs them
// all before its own script. They import nothing but this file, so that their reducers also run without a page.

const changes = new Map(); // event tag -> (state, event) => state
const kinds = [];

/** `kind` is {name, changes, words, watch, banner, control, sheet, studio, replay}; all but the name may be left out (docs/pages.md). */
export function addKind(kind) {
  for (const [tag, change] of Object.entries(kind.changes ?? {})) {
    if (changes.has(tag)) throw new Error(`${kind.name}: there is an event ${tag} already`);
    changes.set(tag, change);
  }
  kinds.push(kind);
}

export const changeOf = (tag) => changes.get(tag);

/** What kinds show at a place (`watch`, `banner`, `control`, `sheet`, `studio` or `replay`): [{name, View, …}]. */
export const partsOf = (place, page) =>
  kinds.filter((kind) => kind[place]).map((kind) => {
    const part = kind[place](page);
    part.name = kind.name;
    return part;
  });

/** The texts of all kinds in one language. */
export const wordsOf = (locale) => Object.assign({}, ...kinds.map((kind) => kind.words?.[locale] ?? {}));

/** What a line is known by: ids are made by pages, and another author's line may have the same one. */
export const lineKey = (line) => `${line.by ?? ""}/${line.id}`;

/** The list with `one` in the place of the entry of the same key, or at its end. */
export function put(list, one, key) {
  const at = list.findIndex((other) => other[key] === one[key]);
  return at < 0 ? [...list, one] : list.with ? list.with(at, one) : list.map((other, index) => (index === at ? one : other));
}
export const without = (list, value, key) => list.filter((one) => one[key] !== value);
/** An event's fields without its tag. */
export const bare = ({ t: _kind, ...fields }) => fields;
