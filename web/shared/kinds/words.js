// Blocked words; of staff's pages alone.
import { addKind } from "../kinds.js";

addKind({
  name: "words",
  changes: {
    words(state, event) {
      if (!state.words) return state;
      const words = new Set(state.words);
      for (const word of event.added) words.add(word);
      for (const word of event.removed) words.delete(word);
      return { ...state, words: [...words].sort() };
    },
  },
});
