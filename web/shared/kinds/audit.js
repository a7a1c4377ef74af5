// The trail of staff commands; of staff's pages alone.
import { addKind, bare, put } from "../kinds.js";

const AUDIT_MAX = 50;

addKind({
  name: "audit",
  changes: {
    audit(state, event) {
      if (!state.audit) return state;
      const entry = bare(event);
      const known = state.audit.some((one) => one.id === entry.id);
      if (!known && entry.undone) return state; // an old entry, marked as undone after it left this list
      return { ...state, audit: put(state.audit, entry, "id").slice(-AUDIT_MAX) };
    },
  },
});
