// Lines that moderators hide: staff see them marked, everyone else no more.
import { addKind, without } from "../kinds.js";

addKind({
  name: "hidden",
  changes: {
    hidden(state, event) {
      if (state.hidden) {
        const hidden = state.hidden.filter((comment) => comment !== event.comment);
        return { ...state, hidden: event.hidden ? [...hidden, event.comment] : hidden };
      }
      return event.hidden ? { ...state, chat: without(state.chat, event.comment, "id") } : state;
    },
  },
});
