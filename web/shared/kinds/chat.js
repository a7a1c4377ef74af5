// Lines of the chat, and marks on them are live.js's.
import { addKind, bare, lineKey } from "../kinds.js";

const CHAT_MAX = 200; // lines a page keeps; the snapshot brings 60

addKind({
  name: "chat",
  changes: {
    chat(state, event) {
      const line = bare(event);
      const key = lineKey(line);
      const at = state.chat.findIndex((other) => lineKey(other) === key);
      // A line that comes again: shown after being hidden, or let through after being held.
      const stays = at >= 0 && !state.chat[at].held;
      const chat = stays ? state.chat.map((other, place) => (place === at ? line : other)) : [...state.chat.filter((other) => lineKey(other) !== key), line];
      return { ...state, chat: chat.slice(-CHAT_MAX) };
    },
  },
});
