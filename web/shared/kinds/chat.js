// Lines of the chat, and marks on them are live.js's.
import { addKind, bare, put, without } from "../kinds.js";

const CHAT_MAX = 200; // lines a page keeps; the snapshot brings 60

addKind({
  name: "chat",
  changes: {
    chat(state, event) {
      const known = state.chat.find((line) => line.id === event.id);
      const line = bare(event);
      // A line that comes again: shown after being hidden, or let through after being held.
      const chat = known && !known.held ? put(state.chat, line, "id") : [...without(state.chat, line.id, "id"), line];
      return { ...state, chat: chat.slice(-CHAT_MAX) };
    },
  },
});
